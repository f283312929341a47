"""Layers, process environment and `--set` become one set of values with their origins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import expand, names, parse
from invoke_stack.environment import notes
from invoke_stack.environment.collecting import put_off
from invoke_stack.environment.dotenv import LONGEST
from invoke_stack.environment.expansion import Expansion, definitions, refuse_forward_references
from invoke_stack.environment.layers import Layer, layer_paths, read, template_marks
from invoke_stack.environment.secrecy import Secrecy
from invoke_stack.environment.values import Origin, Place, ResolvedEnv, Value
from invoke_stack.errors import UsageError
from invoke_stack.modes import BUILT_IN, Mode, normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from invoke_stack.compose.variables import Variable

__all__ = ["Origin", "Place", "ResolvedEnv", "Value", "resolve", "service_env"]

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@put_off()
def resolve(  # noqa: PLR0913 - the sources of values, each its own argument
    mode: Mode,
    layers: Sequence[Layer],
    environ: Mapping[str, str],
    overrides: Mapping[str, str],
    *,
    variables: Iterable[Variable] = (),
    templates_marks: Mapping[str, Mapping[str, str]] | None = None,
    only: Collection[str] | None = None,
) -> ResolvedEnv:
    """Resolve one mode.

    Rank, low to high: the layers as given, the process environment, the overrides. Values of
    the process are taken word for word, and only for keys that something else names.

    Args:
        mode: decides NODE_ENV.
        layers: lowest rank first.
        environ: the process environment.
        overrides: `--set` values.
        variables: what the compose files name; their defaults are shown, never exported.
        templates_marks: keys of the env templates with their marks; makes keys known that no
            layer names yet.
        only: leave out all other keys; they still serve as targets of references.

    Raises:
        UsageError: circles and forward references, a missing `:?` variable, an APP_ENV that
            contradicts the mode, a value that no process can take.
    """
    return _Resolver(mode, layers, environ, overrides, variables, templates_marks or {}).all(only)


def service_env(  # noqa: PLR0913 - as `resolve`
    entries: Sequence[Path],
    root: Path,
    mode: Mode,
    environ: Mapping[str, str],
    overrides: Mapping[str, str],
    *,
    base: Sequence[Layer] = (),
    custom: Sequence[Mode] = (),
    allow: Collection[str] = (),
    templates: Sequence[Path] = (),
) -> ResolvedEnv:
    """Resolve what a service gets for its `env_file:` list.

    An entry that is a layer of the mode keeps its rank; any other ranks just above `.env` of
    its folder. The keys are those of the entries and of the mode's layers beside them, NODE_ENV
    included only if it is among them. Of several folders the later one wins.

    ``entries`` are absolute and in order; whether one may be missing is the caller's to say.
    The files can refer to values of ``base``, the project's own layers, and a key without `=`
    takes its value from them, as in Compose. Templates beside the files and in the folders of
    ``templates`` mark secrets.
    """
    own: list[Layer] = []
    # Going backwards, a folder ranks where it is named last.
    for folder in dict.fromkeys(entry.parent for entry in reversed(entries)):
        family = _family(folder, entries, mode, custom)
        own = [*(read(path, root, allow=allow) for path in family), *own]
    paths = {layer.path for layer in own}
    below = [layer for layer in base if layer.path not in paths]
    keys = {key for layer in own for key in layer.keys}
    folders = (*templates, *(path.parent for path in paths))
    marked = template_marks(folders, mode, keys, custom=custom)
    return resolve(mode, (*below, *own), environ, overrides, templates_marks=marked, only=keys)


def _family(
    folder: Path, entries: Sequence[Path], mode: Mode, custom: Sequence[Mode]
) -> list[Path]:
    """Return a folder's layers with the entries that are none just above `.env`."""
    family = list(layer_paths(folder, mode, custom=custom))
    others = [
        entry
        for entry in dict.fromkeys(entries)
        if entry.parent == folder and entry not in family and entry.exists()
    ]
    rank = 1 if family and family[0].name == ".env" else 0
    return [*family[:rank], *others, *family[rank:]]


class _Resolver:
    """One run of `resolve`: what is given, and what is worked out from it."""

    def __init__(  # noqa: PLR0913 - the arguments of `resolve`
        self,
        mode: Mode,
        layers: Sequence[Layer],
        environ: Mapping[str, str],
        overrides: Mapping[str, str],
        variables: Iterable[Variable],
        template_marks: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.mode = mode
        self.layers = layers
        self.environ = environ
        self.overrides = overrides
        self.variables = tuple(variables)
        self.template_marks = template_marks
        self.definitions = definitions(layers)
        follows = {"NODE_ENV": mode.node} if mode.node else {}
        self.fixed = {**environ, **follows, **overrides}
        self.expansion = Expansion(self.definitions, self.fixed)
        marks = (template_marks, *(layer.marks for layer in layers))
        self.secrecy = Secrecy(marks, self.definitions, self.expansion.value)

    def all(self, only: Collection[str] | None) -> ResolvedEnv:
        _refuse_overrides(self.overrides)
        for layer in self.layers:
            refuse_forward_references(layer)
        values = {key: self._value(key) for key in self._keys() if only is None or key in only}
        self._refuse_other_mode(values.get("APP_ENV"))
        said = (
            *notes.overruled(values.get("NODE_ENV"), self.environ, self.expansion),
            *notes.local_over_mode(self.mode, values),
            *notes.empty_references(self.definitions, values, self.expansion),
            *notes.two_defaults(self.variables, values),
        )
        return ResolvedEnv(self.mode.name, tuple(each.file for each in self.layers), values, said)

    def _keys(self) -> dict[str, None]:
        keys = dict.fromkeys(key for layer in self.layers for key in layer.keys)
        keys |= dict.fromkeys(self.template_marks)
        keys |= dict.fromkeys(variable.name for variable in self.variables)
        keys |= dict.fromkeys(self.overrides)
        return keys | (dict.fromkeys(["NODE_ENV"]) if self.mode.node else {})

    def _value(self, key: str) -> Value:
        places = [Place("file", *said[1:]) for said in self.definitions.get(key, ())]
        if key in self.environ:
            places.append(Place("process"))
        if key == "NODE_ENV" and self.mode.node:
            places.append(Place("mode"))
        if key in self.overrides:
            places.append(Place("set"))
        if not places:
            return self._unset(key)
        winner = places.pop()
        text = self.expansion.value(key)
        used = names(self.definitions[key][-1][0]) if winner.origin == "file" else ()
        return Value(
            key,
            text,
            winner.origin,
            winner.file,
            winner.line,
            sensitive=self.secrecy.covers(key, text, used),
            shadowed=tuple(reversed(places)),
            references=used,
        )

    def _unset(self, key: str) -> Value:
        """Return the value of a key that nobody sets: Compose's default, or none."""
        uses = [variable for variable in self.variables if variable.name == key]
        for use in sorted(uses, key=lambda variable: variable.default is None)[:1]:
            text, used = self._default(use)
            sensitive = self.secrecy.covers(key, text, used)
            return Value(key, text, "compose", use.file, use.line, sensitive, (), used)
        for layer in reversed(self.layers):
            for each in layer.assignments:
                if each.key == key:
                    place = (layer.file, each.line)
                    return Value(key, None, "file", *place, self.secrecy.covers(key, None, ()))
        return Value(key, None, "file", sensitive=self.secrecy.covers(key, None, ()))

    def _default(self, use: Variable) -> tuple[str | None, tuple[str, ...]]:
        if use.default is None:
            return None, ()
        template = parse(use.default, use.where)
        try:
            return expand(template, self.expansion.value), names(template)
        except UsageError:
            # `${A:-${B:?m}}` with neither set: the list of missing variables reports it.
            return None, names(template)

    def _refuse_other_mode(self, app_env: Value | None) -> None:
        if app_env is None and "APP_ENV" in self.environ:
            app_env = Value("APP_ENV", self.environ["APP_ENV"], "process")
        # `--set` is as explicit as the mode flag; the base mode stands for no environment.
        if app_env is None or app_env.origin == "set" or self.mode.name == "base":
            return
        said = normalised(app_env.text or "")
        if said and said not in {self.mode.name, *self.mode.aliases, normalised(self.mode.name)}:
            known = said in {mode.name for mode in BUILT_IN}
            raise UsageError(
                str(app_env.place),
                f"APP_ENV contradicts the mode {self.mode.name}",
                hint=f"unset APP_ENV{f', or use --{said}' if known else ''}",
            )


def _refuse_overrides(overrides: Mapping[str, str]) -> None:
    for key, text in overrides.items():
        if not _KEY.fullmatch(key):
            raise UsageError("--set", "not a variable name before `=`", hint="--set NAME=value")
        if "\0" in text or len(text.encode(errors="surrogateescape")) > LONGEST:
            raise UsageError(
                "--set", f"the value of {key} cannot be handed to a program", hint="shorten it"
            )

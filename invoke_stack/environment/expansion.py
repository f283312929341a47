"""Expansion after merging: a reference sees the final value of its target.

Layers are merged as templates first and expanded when asked for. So `URL=http://${HOST}` in
`.env` follows a `HOST` in `.env.local`, which no tool that expands file by file does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from invoke_stack.compose.interpolation import Template, TooLongError, expand, names
from invoke_stack.environment.dotenv import LONGEST
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from invoke_stack.environment.layers import Layer

Definition: TypeAlias = "tuple[Template, str, int]"
"""What one line says: the value with its references, the file, the line."""

Definitions: TypeAlias = "Mapping[str, list[Definition]]"
"""What the layers say about each key, lowest rank first."""

# Of variables that are not worked out yet: those of a file are, one after the other.
_DEEPEST = 20


def definitions(layers: Iterable[Layer]) -> dict[str, list[Definition]]:
    """Return what the layers say about each key, lowest rank first.

    Two lines for one key in one file count as two ranks. A key without `=` says nothing.
    """
    found: dict[str, list[Definition]] = {}
    for layer in layers:
        for each in layer.assignments:
            if each.template is not None:
                said = (each.template, layer.file, each.line)
                found.setdefault(each.key, []).append(said)
    return found


def refuse_forward_references(layer: Layer) -> None:
    """Refuse a reference to a key that the same file sets further down.

    Compose and python-dotenv read such a reference as empty, Next.js does not.

    Raises:
        UsageError: naming both keys.
    """
    last = {each.key: each.line for each in layer.assignments if each.template is not None}
    for each in layer.assignments:
        for name in names(each.template or ()):
            if name != each.key and last.get(name, 0) > each.line:
                raise UsageError(
                    f"{layer.file}:{each.line}",
                    f"{each.key} refers to {name}, which the same file sets in line {last[name]}",
                    hint=f"move {name} above {each.key}",
                )


class Expansion:
    """Final values, worked out on demand and once.

    Args:
        found: what the layers say, from `definitions`.
        fixed: values that outrank every layer; used as they are, never expanded.
    """

    def __init__(self, found: Definitions, fixed: Mapping[str, str]) -> None:
        self._definitions = found
        self._fixed = fixed
        self._done: dict[tuple[str, int], str] = {}
        self._active: list[tuple[str, int]] = []

    def value(self, key: str) -> str | None:
        """Return the final value of a key, None if nobody sets it."""
        fixed = self._fixed.get(key)
        return self.in_layers(key) if fixed is None else fixed

    def in_layers(self, key: str) -> str | None:
        """Return what the layers alone make of a key."""
        return self._at(key, len(self._definitions.get(key, ())) - 1)

    def _at(self, key: str, rank: int) -> str | None:
        if rank < 0:
            return None
        template, file, line = self._definitions[key][rank]
        if len(template) == 1 and isinstance(template[0], str):
            return template[0]
        step = (key, rank)
        if step not in self._done:
            where = f"{file}:{line}"
            self._refuse_loops(step, template, where)
            self._active.append(step)
            try:
                self._done[step] = self._expanded(step, template, where)
            finally:
                self._active.pop()
        return self._done[step]

    def _expanded(self, step: tuple[str, int], template: Template, where: str) -> str:
        key, rank = step
        text: str | None
        try:
            text = expand(
                template,
                # A key in its own value is what the next lower layer says.
                lambda name: self._at(key, rank - 1) if name == key else self.value(name),
                longest=LONGEST,
            )
        except TooLongError:
            text = None
        if text is None or len(text.encode(errors="surrogateescape")) > LONGEST:
            raise UsageError(
                where,
                f"the value of {key} grows longer than 120 KiB",
                hint="the system cannot hand it to a program; keep it in a file and name the file",
            )
        return text

    def _refuse_loops(self, step: tuple[str, int], template: Template, where: str) -> None:
        key, rank = step
        if len(self._active) > _DEEPEST:
            what = f"the references that lead to {key} are nested more than {_DEEPEST} deep"
            raise UsageError(where, what, hint="move each variable above those that refer to it")
        if step in self._active:
            ring = [name for name, _ in self._active[self._active.index(step) :]]
            raise UsageError(
                where,
                f"{' -> '.join((*ring, key))} is a circle of references",
                hint=f"give {key} a value of its own",
            )
        if rank == 0 and needs_lower_layer(template, key):
            raise UsageError(
                where,
                f"{key} refers to itself, and no lower layer sets it",
                hint=f"write ${{{key}:-default}}, or set {key} in a lower layer",
            )


def needs_lower_layer(template: Template, key: str) -> bool:
    """Tell whether a value names its own key in a place where an unset key leaves a hole."""
    for part in template:
        if isinstance(part, str):
            continue
        if part.name == key and not part.operator:
            return True
        # `${A:+$A:}` does not look at its word while A is unset.
        looked_at = part.name != key or part.uses_word(None)
        if looked_at and needs_lower_layer(part.word, key):
            return True
    return False

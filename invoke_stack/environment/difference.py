"""`env.diff`: which keys two sides have, and whether they say the same; never what they say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from invoke_stack.compose import files
from invoke_stack.environment import declared, layers, selection, shown, templates
from invoke_stack.environment.lint import readers, statements
from invoke_stack.environment.selection import Selection
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

State = Literal["same", "differs", "left", "right", "both"]
"""`left` and `right`: only that side has the key. `both`: one side does not tell its value."""

RENDER = "render.yaml"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sets of keys side by side.

    Attributes:
        folder: the family of env files.
        left: what the one side is.
        right: what the other side is.
        keys: every key of either side, sorted.
    """

    folder: str
    left: str
    right: str
    keys: Mapping[str, State]

    def document(self) -> dict[str, Any]:
        """Return the JSON of one comparison."""
        return {
            "folder": self.folder,
            "left": self.left,
            "right": self.right,
            "keys": dict(self.keys),
        }


_Values = Mapping[str, "str | None"]


def of(project: Project, found: tuple[Difference, ...], only: Selection) -> tuple[Difference, ...]:
    """Return the differences of the folders that are meant.

    Raises:
        UsageError: no such folder or service.
    """
    meant = selection.chosen(project, only)
    chosen = tuple(each for each in found if meant(project.root / each.folder))
    selection.require(chosen, only)
    return chosen


def modes(project: Project, left: str, right: str) -> tuple[Difference, ...]:
    """Compare two modes by what the files say; the process environment is left out.

    Raises:
        UsageError: no such mode, or a file that is refused.
    """
    sides = [dict(_families(project, name)) for name in (left, right)]
    names = [project.mode(name).name for name in (left, right)]
    folders = dict.fromkeys([*sides[0], *sides[1]])
    return tuple(
        Difference(each, names[0], names[1], _states(*(side.get(each, {}) for side in sides)))
        for each in folders
    )


def template(project: Project) -> tuple[Difference, ...]:
    """Compare the env files of a mode with the templates that make them.

    Raises:
        UsageError: there is no template.
    """
    mode = project.mode()
    own = dict(_families(project, mode.name))
    found = []
    for folder, paths in _templates(project).items():
        said: dict[str, str | None] = {}
        for path in paths:
            text, _ = statements.decode(path.read_bytes())
            said |= readers.eager([statements.parse(text)], {})
        names = ", ".join(project.shown(path) for path in paths)
        states = _states(own.get(folder, {}), said)
        found.append(Difference(folder, f"mode {mode.name}", names, states))
    if not found:
        raise UsageError("--template", "no env template here", hint="inv env.init proposes one")
    return tuple(found)


def render(project: Project) -> tuple[Difference, ...]:
    """Compare the root's env files of a mode with the keys that `render.yaml` declares.

    Raises:
        UsageError: no `render.yaml`, or broken YAML.
    """
    mode = project.mode()
    own = dict(_families(project, mode.name)).get(".", {})
    path = project.root / RENDER
    return (Difference(".", f"mode {mode.name}", RENDER, _states(own, _declared(path))),)


def _states(left: Mapping[str, str | None], right: Mapping[str, str | None]) -> dict[str, State]:
    states: dict[str, State] = {}
    for key in sorted({*left, *right}):
        if key not in right:
            states[key] = "left"
        elif key not in left:
            states[key] = "right"
        elif left[key] is None or right[key] is None:
            states[key] = "both"
        else:
            states[key] = "same" if left[key] == right[key] else "differs"
    return states


def _families(project: Project, mode: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    alone = replace(project, mode_flag=mode, environ={})
    for folder, env in shown.families(alone):
        project.secrets.learn(env.secrets())
        yield folder, dict(env.exported())


def _templates(project: Project) -> dict[str, list[Path]]:
    """Return the templates of the mode's layers, by the family they belong to."""
    mode, custom = project.mode(), project.custom_modes()
    folders = {declared.main_folder(project): ".", project.root: "."}
    with contextlib.suppress(UsageError):  # templates without a stack are fine
        folders[files.find(project, mode, project.environ).folder] = "."
    for each in templates.folders(project):
        folders.setdefault(each, project.shown(each))
    found: dict[str, list[Path]] = {}
    for folder, name in folders.items():
        unclaimed = layers.leftover(folder, custom=custom)
        for target, path in layers.templates(folder).items():
            if target in mode.layers or target in unclaimed:
                found.setdefault(name, []).append(path)
    return found


def _declared(path: Path) -> dict[str, str | None]:
    """Return the keys of a blueprint; a value that it does not write out is None."""
    import yaml

    try:
        tree = yaml.safe_load(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        hint = f"--render reads {path}; inv env.diff alone compares with the templates"
        raise UsageError("--render", f"no {RENDER} here", hint=hint) from None
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError("--render", f"{RENDER} cannot be read: {reason}") from None
    except (ValueError, yaml.YAMLError, RecursionError):
        # Not the parser's own words: they quote the line.
        raise UsageError(
            RENDER, "broken YAML", hint="correct it, then run the task again"
        ) from None
    found: dict[str, str | None] = {}
    for key, value in _variables(tree):
        found[key] = value if found.get(key, value) == value else None
    return found


def _variables(tree: Any) -> Iterator[tuple[str, str | None]]:
    """Yield `services[].envVars[]` and `envVarGroups[].envVars[]`."""
    whole = tree if isinstance(tree, Mapping) else {}
    for group in ("services", "envVarGroups"):
        for owner in _listed(whole.get(group)):
            for each in _listed(owner.get("envVars")):
                if isinstance(each.get("key"), str):
                    yield each["key"], _written(each.get("value"))


def _listed(tree: Any) -> list[Mapping[str, Any]]:
    items = tree if isinstance(tree, list) else []
    return [each for each in items if isinstance(each, Mapping)]


def _written(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None

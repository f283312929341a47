"""Which env file each template of a project makes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.environment import layers, specs
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.specs import Template
from invoke_stack.errors import UsageError
from invoke_stack.modes import BUILT_IN
from invoke_stack.project import Project

_SKIPPED = frozenset({"node_modules", "examples", "backups", "dist", "build", "vendor", "coverage"})
_DEPTH = 3
_OWN = (".env.production", ".env.staging")


@dataclass(frozen=True, slots=True)
class Target:
    """An env file and the template that makes it.

    Attributes:
        folder: the folder of the family it belongs to.
        file: its name as shown.
        kind: the mode it alone belongs to ("production"), or "" where modes share it.
    """

    path: Path
    folder: Path
    file: str
    template: Template
    kind: str = ""


def folders(project: Project) -> tuple[Path, ...]:
    """Return the folders with env files or templates; that of the main family comes first."""
    main = main_folder(project)
    found = [each for each in _walk(project.root, _DEPTH) if each != main]
    return (main, *sorted(found))


def main_folder(project: Project) -> Path:
    """Return the folder of the project's own env files."""
    return (project.root / project.settings.env.directory).resolve()


def targets(project: Project, needs: Needs) -> tuple[Target, ...]:
    """Return the env files that the templates of a mode make.

    Raises:
        UsageError: a template that cannot be read, or with an unknown mark.
    """
    custom, mapped = project.custom_modes(), _mapped(project)
    pairs = [pair for folder in folders(project) for pair in _named(folder, needs)]
    left = [
        (folder / name, path)
        for folder in folders(project)
        for name, path in layers.leftover(folder, custom=custom).items()
        if path.resolve() not in mapped
    ]
    pairs += _needed(needs)
    pairs += _matched(project, needs, left)
    pairs = [(path, template) for path, template in pairs if template.resolve() not in mapped]
    pairs += [
        (path, template)
        for template, path in mapped.items()
        if path.name in needs.mode.layers or not _is_layer(project, path)
    ]
    return tuple(_target(project, path, template) for path, template in dict(pairs).items())


def other_modes(project: Project, needs: Needs) -> tuple[Path, ...]:
    """Return the templates of layers that only other modes read."""
    known = {name for mode in (*BUILT_IN, *project.custom_modes()) for name in mode.layers}
    made = {path for path, _ in _needed(needs)}
    return tuple(
        path
        for folder in folders(project)
        for name, path in layers.templates(folder).items()
        if name in known and name not in needs.mode.layers and folder / name not in made
    )


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:
        return
    if any(each.name.startswith(".env") and each.is_file() for each in entries):
        yield folder.resolve()
    for each in entries if depth else ():
        hidden = each.name.startswith(".") or each.name in _SKIPPED
        if not hidden and each.is_dir(follow_symlinks=False):
            yield from _walk(Path(each.path), depth - 1)


def _named(folder: Path, needs: Needs) -> Iterator[tuple[Path, Path]]:
    """Yield the mode's own env files of a folder with their templates."""
    found = layers.templates(folder)
    own = {name for name in needs.mode.layers if name in _OWN and name in found}
    for name in needs.mode.layers:
        # Personal development values would rank above those of production.
        if name not in found or (own and name.endswith(".local")):
            continue
        yield _lone(folder, name, needs, found), found[name]


def _lone(folder: Path, name: str, needs: Needs, found: dict[str, Path]) -> Path:
    """Return where `.env`'s keys go: into a lone `.env.local`, which stands for every layer.

    It is lone as well when no file is there yet and it is the one that services cannot do without.
    """
    present = [each for each in needs.mode.layers if (folder / each).is_file()]
    named = {each.path.name for each in needs.env_files if each.path.parent == folder}
    required = {each.path.name for each in needs.env_files if each.required}
    only = not present and named == {".env.local"} <= required & set(needs.mode.layers)
    lone = name == ".env" and ".env.local" not in found and (only or present == [".env.local"])
    return folder / (".env.local" if lone else name)


def _needed(needs: Needs) -> Iterator[tuple[Path, Path]]:
    """Yield the files that a service of the mode cannot do without, whatever mode's they are."""
    for entry in needs.env_files:
        beside = layers.templates(entry.path.parent)
        if entry.required and entry.path.name in beside:
            yield entry.path, beside[entry.path.name]


def _matched(
    project: Project, needs: Needs, left: Sequence[tuple[Path, Path]]
) -> list[tuple[Path, Path]]:
    """Return targets of templates that no layer claims, such as `docker/.env.docker.example`."""
    entries = [each.path for each in needs.env_files]
    pairs = [(path, template) for path, template in left if path in entries]
    rest = [pair for pair in left if pair[0] not in entries]
    open_ = [path for path in entries if path.name not in layers.templates(path.parent)]
    chosen = _only(project, open_) if len(rest) == 1 else None
    return [*pairs, *((chosen or path, template) for path, template in rest)]


def _mapped(project: Project) -> dict[Path, Path]:
    """Return the env files that the settings give templates.

    Raises:
        UsageError: there is no such template.
    """
    found = {}
    for template, file in project.settings.env.templates.items():
        path = (project.root / template).resolve()
        if not path.is_file():
            where = "setting stack.env.templates"
            raise UsageError(where, f"no such template: {template}", hint="name it from the root")
        found[path] = (project.root / file).resolve()
    return found


def _only(project: Project, entries: Sequence[Path]) -> Path | None:
    if len(entries) == 1:
        return entries[0]
    missing = [path for path in entries if not path.exists()]
    if len(missing) == 1:
        return missing[0]
    local = main_folder(project) / ".env.local"
    return local if local in entries else None


def _target(project: Project, path: Path, template: Path) -> Target:
    middle = path.name.removeprefix(".env").removesuffix(".local").strip(".")
    kind = "" if middle in {"", "development"} or not _is_layer(project, path) else middle
    read = specs.read(template, project.shown(template))
    return Target(path, path.parent, project.shown(path), read, kind)


def _is_layer(project: Project, path: Path) -> bool:
    modes = (*BUILT_IN, *project.custom_modes())
    return any(path.name in mode.layers for mode in modes)

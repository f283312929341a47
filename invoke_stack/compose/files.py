"""Which compose files and profiles make the stack in a mode."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.compose import elsewhere
from invoke_stack.errors import UsageError
from invoke_stack.modes import BUILT_IN, Mode
from invoke_stack.project import Project

# Compose's own names, in Compose's own order of preference.
STEMS = ("compose", "docker-compose")
SUFFIXES = (".yaml", ".yml")
FOLDERS = (".", "docker")


@dataclass(frozen=True, slots=True)
class ComposeFiles:
    """The compose files of one mode.

    Attributes:
        paths: in the order that Compose merges them.
        reason: how they were chosen, for `stack.config`.
        mode: the mode they are for; another one than asked when the project has only that.
        overridden: whether a file of the mode's own is among them.
    """

    paths: tuple[Path, ...]
    reason: str
    mode: str
    overridden: bool = False

    @property
    def folder(self) -> Path:
        """Compose's project directory: the folder of the first file."""
        return self.paths[0].parent


def find(project: Project, mode: Mode, environ: Mapping[str, str]) -> ComposeFiles:
    """Return the compose files for ``mode``.

    Settings win over ``COMPOSE_FILE``, which wins over detection.

    Args:
        project: the project.
        mode: the mode that was asked for.
        environ: the resolved environment, for ``COMPOSE_FILE``.

    Raises:
        NoStackError: there is no compose file.
        UsageError: none of this mode, or a named one is missing.
    """
    own = project.mode_settings(mode)
    if own.files:
        return _named(project, mode, own.files, f"setting stack.modes.{mode.name}.files")
    if project.settings.compose.files:
        return _named(project, mode, project.settings.compose.files, "setting stack.compose.files")
    if environ.get("COMPOSE_FILE"):
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return _named(project, mode, environ["COMPOSE_FILE"].split(separator), "COMPOSE_FILE")
    return _detected(project, mode)


def _named(project: Project, mode: Mode, names: Sequence[str], where: str) -> ComposeFiles:
    paths = tuple((project.root / name).resolve() for name in names if name)
    if not paths:
        raise UsageError(where, "names no compose file", hint="name one there, or leave it away")
    for path in paths:
        if not path.is_file():
            raise UsageError(
                where, f"{project.shown(path)} does not exist", hint="correct the name there"
            )
    return ComposeFiles(paths, where, mode.name, overridden=True)


def _detected(project: Project, mode: Mode) -> ComposeFiles:
    folders = [(project.root / name).resolve() for name in FOLDERS]
    for folder in folders:
        base = _first(folder, "")
        if base:
            return _with_override(base, mode)
    for folder in folders:
        every = (*BUILT_IN, *project.custom_modes())
        alone = {each.name: _mode_file(folder, each) for each in every}
        present = {name: path for name, path in alone.items() if path}
        if present:
            return _alone(project, mode, present)
    raise elsewhere.error(project.root, lambda folder: _any(folder, project))


def _any(folder: Path, project: Project) -> Path | None:
    """Return a compose file of a folder, of whatever mode."""
    every = (*BUILT_IN, *project.custom_modes())
    alone = (_mode_file(folder, each) for each in every)
    return _first(folder, "") or next((path for path in alone if path), None)


def _with_override(base: Path, mode: Mode) -> ComposeFiles:
    stem = base.name.removesuffix(base.suffix)
    # Compose itself adds `*.override.yml` to a plain run; that is a developer's habit, so
    # only dev keeps it.
    wanted = ("override", *mode.aliases) if mode.name == "dev" else mode.aliases
    # `docker-compose.dev.yml` beside `compose.yaml` is meant for it all the same.
    stems = (stem, *(each for each in STEMS if each != stem))
    extra = [path for alias in wanted if (path := _first(base.parent, alias, stems))]
    own = any(".override." not in path.name for path in extra)
    return ComposeFiles((base, *extra), "found by name", mode.name, overridden=own)


def _alone(project: Project, mode: Mode, present: Mapping[str, Path]) -> ComposeFiles:
    """Choose among mode files without a base file."""
    if mode.name in present:
        return ComposeFiles(
            (present[mode.name],), "found by name, no base file", mode.name, overridden=True
        )
    # A project that deploys from one `docker-compose.prod.yml` has no other stack: with no
    # flag that is the one meant; with another mode's flag it is not.
    if len(present) == 1 and not project.mode_flag:
        name, path = next(iter(present.items()))
        reason = f"the only compose file, so the mode is {name}"
        return ComposeFiles((path,), reason, name, overridden=True)
    listed = ", ".join(project.shown(path) for path in present.values())
    raise UsageError(
        mode.flag,
        f"no compose file for this mode; found {listed}",
        hint=f"use --{next(iter(present))}, or add a compose.yaml that every mode shares",
    )


def _mode_file(folder: Path, mode: Mode) -> Path | None:
    return next((path for alias in mode.aliases if (path := _first(folder, alias))), None)


def _first(folder: Path, middle: str, stems: Sequence[str] = STEMS) -> Path | None:
    """Return the first existing `<stem>[.<middle>].y[a]ml` of a folder."""
    between = f".{middle}" if middle else ""
    names = [f"{stem}{between}{suffix}" for stem in stems for suffix in SUFFIXES]
    return next((folder / name for name in names if (folder / name).is_file()), None)

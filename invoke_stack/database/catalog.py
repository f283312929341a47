"""The backups there are, read from their manifests alone: no engine, no database."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invoke_stack import rights
from invoke_stack.database import manifest as manifests
from invoke_stack.database import names
from invoke_stack.database.manifest import Manifest
from invoke_stack.errors import UsageError
from invoke_stack.events import Planned, Report, silent
from invoke_stack.project import Project

UNVERIFIED = "no manifest: unverified"
GONE = "the dump is gone, only its manifest is here"
NEWEST = frozenset({"latest", "last"})
"""The words for the newest archive that passed its checks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A backup on disk.

    Attributes:
        bytes: the file's size now, -1 where it is gone.
        problem: what keeps it from being trusted, or "".
    """

    file: Path
    manifest: Manifest | None
    bytes: int
    created: datetime
    problem: str = ""

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it: the manifest with the whole path, or what is known."""
        known: dict[str, Any] = {"bytes": self.bytes, "created_at": stamp(self.created)}
        if self.manifest is not None:
            known = self.manifest.mapping()
        return {**known, "file": str(self.file), "problem": self.problem}


def stamp(when: datetime) -> str:
    """Return a time as manifests write it."""
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def root(project: Project, to: str = "") -> Path:
    """Return the folder of all backups: the one that a flag names, else the setting's."""
    return (project.root / (to or project.settings.db.directory)).absolute()


def source(project: Project, named: str = "") -> Path:
    """Return the folder to look for backups in: the one that a flag names, else the setting's.

    Raises:
        UsageError: the named folder does not exist; one without backups yet may be missing.
    """
    folder = root(project, named)
    if named and not folder.exists():
        usual = project.settings.db.directory
        hint = f"without --from it is {usual}"
        raise UsageError("--from", f"no such folder: {named}", hint=hint)
    return folder


def entries(folder: Path) -> tuple[Entry, ...]:
    """Return the backups in a folder and its subfolders, newest first.

    Raises:
        UsageError: it cannot be read, or is no folder.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(str(folder), "is not a folder", hint="name another in db.directory")
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        refused = PermissionError(errno.EACCES, "permission denied")
        raise rights.error(folder, "cannot be read", refused)
    found = [entry(path) for path in _dumps(folder)]
    return tuple(sorted(found, key=lambda each: (each.created, each.file.name), reverse=True))


def of(database: str, found: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the backups of one database; without a manifest the file's name tells."""
    return tuple(each for each in found if _is_of(database, each))


def resolve(project: Project, word: str, found: Sequence[Entry]) -> Entry:
    """Return the backup that a user names.

    Args:
        project: where relative paths begin.
        word: `latest` or `last` for the newest archive that passed its checks, a number from 1
            for the newest file, the beginning of a file name, or a path.
        found: what ``entries`` returned.

    Raises:
        UsageError: there is no such backup, or the word fits several.
    """
    if word in NEWEST:
        good = [each for each in found if not each.problem and _restorable(each)]
        if good:
            return good[0]
        hint = "make one with: inv db.backup" if not found else "see them with: inv db.backups"
        raise UsageError("backups", "there is no verified backup yet", hint=hint)
    if word.isdecimal() and 1 <= int(word) <= len(found):
        return found[int(word) - 1]
    path = (project.root / word).absolute()
    if path.is_file() or names.manifest_of(path).is_file():
        return entry(path)
    fits = [each for each in found if word and each.file.name.startswith(word)]
    if len(fits) == 1:
        return fits[0]
    shown = tuple(each.file.name for each in fits[:10])
    text = f"{len(fits)} backups begin with {word!r}" if fits else f"no backup {word!r}"
    raise UsageError("backups", text, hint="see them with: inv db.backups", detail=shown)


def named(project: Project, word: str) -> Entry:
    """Return the backup of the project's folder that a user names; see ``resolve``."""
    return resolve(project, word, entries(root(project)))


def pin(project: Project, chosen: Entry, *, pinned: bool, report: Report = silent) -> Entry:
    """Pin a backup, so that retention never deletes it, or let it go again.

    A dry run reports it.

    Raises:
        UsageError: it has no manifest to write that into.
    """
    if chosen.manifest is None:
        raise UsageError(project.shown(chosen.file), chosen.problem, hint=way_out(project, chosen))
    if project.dry:
        report(Planned(f"{'pin' if pinned else 'let go of'} {project.shown(chosen.file)}"))
        return chosen
    manifests.change(names.manifest_of(chosen.file), pinned=pinned)
    return entry(chosen.file)


def way_out(project: Project, chosen: Entry) -> str:
    """Return how a backup without a manifest, or with one that cannot be read, gets one."""
    adopt = f"inv db.verify --adopt --file {project.shown(chosen.file)}"
    if manifests.NEWER in chosen.problem:
        return "update invoke_stack"
    if chosen.problem == UNVERIFIED:
        return f"give it one with: {adopt}"
    return f"move {project.shown(names.manifest_of(chosen.file))} away, then: {adopt}"


def _restorable(entry: Entry) -> bool:
    """Return whether it is an archive; an export was made for people."""
    return entry.manifest is not None and entry.manifest.archive_form


def _is_of(database: str, entry: Entry) -> bool:
    if entry.manifest is not None:
        return entry.manifest.database == database
    return names.belongs(entry.file.name, database)


def _dumps(folder: Path) -> Iterator[Path]:
    """Yield every dump once, those of which only the manifest is left included."""
    seen: set[str] = set()
    for path in _visible(folder):
        file = path.removesuffix(".json")
        # Somebody's own script is no backup of ours; an archive can only be one.
        wanted = file.endswith(names.ARCHIVE) or (file != path and file.endswith(names.SUFFIXES))
        if wanted and file not in seen:
            seen.add(file)
            yield Path(file)


def _visible(folder: Path, *, deeper: bool = True) -> Iterator[str]:
    try:
        listed = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:
        return
    for each in listed:
        if each.name.startswith("."):
            continue
        if each.is_dir(follow_symlinks=False):
            if deeper:
                yield from _visible(Path(each.path), deeper=False)
        else:
            yield each.path


def entry(file: Path) -> Entry:
    """Return the backup in a file."""
    size, changed = _size(file)
    manifest, problem = None, ""
    try:
        manifest = manifests.read(names.manifest_of(file))
    except ValueError as reason:
        there = os.path.lexists(names.manifest_of(file))
        problem = f"the manifest {reason}" if there else UNVERIFIED
    if size < 0:
        problem = GONE
    elif manifest is not None and manifest.bytes != size:
        problem = f"has {size:,} bytes, its manifest says {manifest.bytes:,}"
    elif manifest is not None and manifest.verified.get("ok") is False:
        problem = f"failed its check of {manifest.verified.get('at')}"
    created = manifest.created if manifest else names.stamp_of(file.name) or changed
    return Entry(file, manifest, size, created, problem)


def _size(file: Path) -> tuple[int, datetime]:
    try:
        found = file.stat()
    except OSError:
        return -1, datetime.fromtimestamp(0, UTC)
    if not stat.S_ISREG(found.st_mode):  # a folder or a pipe of that name holds no dump
        return -1, datetime.fromtimestamp(found.st_mtime, UTC)
    return found.st_size, datetime.fromtimestamp(found.st_mtime, UTC)

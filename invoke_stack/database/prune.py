"""`db.prune`: delete the backups that retention does not keep."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from invoke_stack import files, rights
from invoke_stack.database import catalog, names, retention, write
from invoke_stack.database.catalog import GONE, Entry
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.retention import Decision
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Planned, Report, silent
from invoke_stack.project import Project


@dataclass(frozen=True, slots=True)
class Plan:
    """What a prune would do.

    Attributes:
        decisions: one for each backup, newest first.
        orphans: leftovers that belong to no backup, which only `--orphans` removes.
        bytes: how much room deleting gives back.
    """

    decisions: tuple[Decision, ...]
    orphans: tuple[Path, ...]
    with_orphans: bool = False

    @property
    def leaving(self) -> tuple[Entry, ...]:
        """The backups that go."""
        return tuple(each.entry for each in self.decisions if not each.keep)

    @property
    def strays(self) -> tuple[Path, ...]:
        """The orphans that go."""
        return self.orphans if self.with_orphans else ()

    @property
    def bytes(self) -> int:
        """How much room deleting gives back."""
        return sum(max(0, each.bytes) for each in self.leaving)

    def mapping(self) -> dict[str, Any]:
        """Return the document of `db.prune --json`."""
        listed = [
            {"file": str(each.entry.file), "keep": each.keep, "why": each.why}
            for each in self.decisions
        ]
        orphans = [{"file": str(path), "keep": not self.with_orphans} for path in self.orphans]
        return {"backups": listed, "orphans": orphans, "bytes": self.bytes}


def plan(
    project: Project,
    root: Path,
    *,
    orphans: bool = False,
    now: datetime | None = None,
    group: Entry | None = None,
) -> Plan:
    """Return what is to go; with ``group`` only of the target that this backup is of."""
    found = catalog.entries(root)
    if group is not None:
        mark = retention.fingerprint(group)
        found = tuple(each for each in found if retention.fingerprint(each) == mark)
    decisions = retention.decide(found, project.settings.db.keep, now)
    return Plan(decisions, _orphans(root, found), orphans)


def carry_out(project: Project, chosen: Plan, report: Report = silent) -> None:
    """Delete what a plan says; in a dry run report it.

    Raises:
        StackError: a file cannot be deleted; what went before it is gone.
    """
    doomed = [each.file for each in chosen.leaving]
    if project.dry:
        for each in chosen.decisions:
            verb = "keep" if each.keep else "delete"
            report(Planned(f"{verb} {project.shown(each.entry.file)}: {each.why}"))
        for path in chosen.strays:
            report(Planned(f"delete {project.shown(path)}: an orphan"))
        return
    with files.lock(project.state / "db-prune.lock", "pruning"):
        for file in doomed:
            # The manifest goes last: without it, what a killed run leaves would look foreign.
            for path in (file, names.globals_of(file), names.manifest_of(file)):
                _delete(path)
        for path in chosen.strays:
            _delete(path)


def after(project: Project, root: Path, made: Manifest, report: Report = silent) -> None:
    """Prune the target of a backup that was just made; trouble is told, the backup stands."""
    entry = Entry(root / made.file, made, made.bytes, made.created)
    try:
        chosen = plan(project, root, group=entry)
        carry_out(project, chosen, report)
    except StackError as problem:
        report(Note(f"old backups were not pruned: {problem}"))
        return
    if chosen.leaving:
        report(Note(f"pruned {len(chosen.leaving)} old backup(s), {chosen.bytes:,} bytes"))


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        text = f"cannot be deleted: {(problem.strerror or 'refused').lower()}"
        # It is the folder's rights that let a file go.
        hint = rights.way_out(path.parent, problem)
        raise StackError(str(path), text, hint=hint) from problem


def _orphans(root: Path, found: Sequence[Entry]) -> tuple[Path, ...]:
    """Return manifests without a dump, roles without a backup, and files of dead runs."""
    folders = [root, *(each.file.parent for each in found)]
    with contextlib.suppress(OSError):
        folders += [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    orphans = {
        names.manifest_of(each.file)
        for each in found
        if each.problem == GONE and each.manifest is not None and not each.manifest.pinned
    }
    known = {names.globals_of(each.file) for each in found if each.problem != GONE}
    for folder in dict.fromkeys(folders):
        orphans |= set(write.stale(folder))
        orphans |= {path for path in folder.glob(f"*{names.GLOBALS}") if _is_lone(path, known)}
    return tuple(sorted(orphans))


def _is_lone(path: Path, known: set[Path]) -> bool:
    """Return whether roles are called like ours and no backup of theirs is there."""
    stem = path.name.removesuffix(names.GLOBALS)
    ours = names.stamp_of(stem + names.ARCHIVE) is not None
    return ours and path not in known

"""Results of the database tasks as text or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invoke.exceptions import Exit

from invoke_stack import sizes
from invoke_stack.database import names
from invoke_stack.database.backup import Backup
from invoke_stack.database.catalog import Entry
from invoke_stack.database.checks import Verification
from invoke_stack.database.prune import Plan
from invoke_stack.errors import ExitCode
from invoke_stack.tasks._task import Run


def made(run: Run, backup: Backup) -> None:
    """Print a new backup."""
    if run.json:
        run.console.document(backup.mapping())
        return
    manifest = backup.manifest
    run.console.result(run.project.shown(backup.file))
    # A script has no list of contents to count in.
    objects = f"{sum(manifest.contents.values())} objects, " if manifest.archive_form else ""
    run.console.note(
        f"{sizes.shown(manifest.bytes)}, {objects}"
        f"{backup.seconds:.1f} s, verified to {manifest.verified.get('level')}"
    )
    if manifest.globals:
        run.console.note(
            f"roles and tablespaces: {run.project.shown(names.globals_of(backup.file))}"
        )


def listed(run: Run, found: Sequence[Entry], snapshots: Sequence[Mapping[str, Any]]) -> None:
    """Print the backups."""
    if run.json:
        backups = [each.mapping() for each in found]
        run.console.document({"backups": backups, "snapshots": list(snapshots)})
        return
    if not found:
        run.console.note("no backup yet: inv db.backup")
        return
    rows = [
        (
            number,
            run.project.shown(each.file),
            sizes.shown(each.bytes),
            f"{each.created:%Y-%m-%d %H:%M}",
            _state(each),
        )
        for number, each in enumerate(found, 1)
    ]
    run.console.table(("no.", "file", "size", "created (UTC)", "state"), rows)


def _state(entry: Entry) -> str:
    manifest = entry.manifest
    if entry.problem or manifest is None:
        return entry.problem
    words = [f"verified {manifest.verified.get('level', '')}".strip()]
    words += [] if manifest.archive_form else [f"export ({manifest.format})"]
    words += [manifest.kind] if manifest.kind != "manual" else []
    return ", ".join([*words, *(["pinned"] if manifest.pinned else [])])


def question(chosen: Plan) -> str:
    """Return what to ask before backups are deleted."""
    many, strays = len(chosen.leaving), len(chosen.strays)
    kept = len(chosen.decisions) - many
    also = f" and {strays} leftover file(s)" if strays else ""
    return f"delete {many} backup(s), {sizes.shown(chosen.bytes)}{also}, and keep {kept}?"


def pruned(run: Run, chosen: Plan) -> None:
    """Print what was deleted and what stays, and why."""
    if run.json:
        run.console.document(chosen.mapping())
        return
    rows = [
        ("kept" if each.keep else "deleted", run.project.shown(each.entry.file), each.why)
        for each in chosen.decisions
    ]
    verb = "deleted" if chosen.with_orphans else "left (--orphans)"
    rows += [(verb, run.project.shown(path), "an orphan") for path in chosen.orphans]
    if rows:
        run.console.table(("what", "file", "why"), rows)
    many = len(chosen.leaving) + len(chosen.strays)
    run.console.note(
        f"{many} deleted, {sizes.shown(chosen.bytes)}" if many else "nothing to delete"
    )


def pinned(run: Run, entry: Entry) -> None:
    """Print whether a backup is pinned."""
    if run.json:
        run.console.document(entry.mapping())
        return
    state = "pinned" if entry.manifest and entry.manifest.pinned else "not pinned"
    run.console.note(f"{run.project.shown(entry.file)}: {state}")


def verified(run: Run, result: Verification) -> None:
    """Print what was checked; a failed check ends with the exit code of findings."""
    if run.json:
        run.console.document(result.mapping())
    else:
        words = {"ok": "ok", "failed": "FAILED", "unchecked": "not checked"}
        rows = [(check.level, words[check.state], check.text) for check in result.checks]
        run.console.table(("level", "result", "what"), rows)
    if not result.ok:
        run.console.note(f"{run.project.shown(result.file)} is not a good backup")
        raise Exit(code=int(ExitCode.FINDINGS))

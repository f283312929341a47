"""Results of the database tasks as text or JSON."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.exceptions import Exit

from invoke_stack import sizes
from invoke_stack.database.backup import Backup
from invoke_stack.database.catalog import Entry
from invoke_stack.database.verify import Verification
from invoke_stack.errors import ExitCode
from invoke_stack.tasks._task import Run


def made(run: Run, backup: Backup) -> None:
    """Print a new backup."""
    if run.json:
        run.console.document(backup.mapping())
        return
    manifest = backup.manifest
    run.console.result(run.project.shown(backup.file))
    run.console.note(
        f"{sizes.shown(manifest.bytes)}, {sum(manifest.contents.values())} objects, "
        f"{backup.seconds:.1f} s, verified to {manifest.verified.get('level')}"
    )


def listed(run: Run, found: Sequence[Entry]) -> None:
    """Print the backups."""
    if run.json:
        run.console.document({"backups": [each.mapping() for each in found]})
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
    if entry.problem or entry.manifest is None:
        return entry.problem
    return f"verified {entry.manifest.verified.get('level', '')}".strip()


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

"""Results of the tasks that bring content back, as text or JSON."""

from __future__ import annotations

from invoke_stack import sizes
from invoke_stack.database import snapshot as domain
from invoke_stack.database.renew import Renewed
from invoke_stack.database.restoring.request import Restored
from invoke_stack.database.snapshot import VOLATILE, Snapshot
from invoke_stack.errors import StackError
from invoke_stack.tasks._db_stack import running_stack
from invoke_stack.tasks._task import Run


def restored(run: Run, done: Restored) -> None:
    """Print what is live now and what was kept."""
    if run.json:
        run.console.document(done.mapping())
        return
    what = "a new one" if done.kept else "as it was before"
    what = f"snapshot {done.snapshot}" if done.snapshot else what
    what = f"from {run.project.shown(done.file)}" if done.file else what
    run.console.result(f"{done.database}: {what}")
    run.console.note(f"{done.seconds:.1f} s, not reachable for {done.downtime:.2f} s of them")
    if done.kept:
        run.console.note(f"kept: {done.kept} ({sizes.shown(done.bytes)}); back with: {done.undo}")


def renewed(run: Run, done: Renewed) -> None:
    """Print which volume is new."""
    if run.json:
        run.console.document(done.mapping())
        return
    run.console.result(f"{done.database}: on a fresh volume {done.volume}")
    for file in done.backups:
        run.console.note(f"what was in the old one: {file}")


def snapshot(run: Run, made: Snapshot, target: str) -> None:
    """Print a new snapshot and the way back to it."""
    if run.json:
        run.console.document(made.mapping())
        return
    run.console.result(made.name)
    run.console.note(f"{sizes.shown(made.bytes)}, {made.seconds:.1f} s, {VOLATILE}: no backup")
    to = f" --target {target}" if target else ""
    run.console.note(f"back with: inv db.rewind --name {made.name}{to}")


def dropped(run: Run, gone: tuple[str, ...]) -> None:
    """Print which databases were dropped."""
    if run.json:
        run.console.document({"dropped": list(gone)})
        return
    run.console.note(f"dropped {', '.join(gone)}" if gone else "nothing was dropped")


def snapshots(run: Run, from_: str) -> tuple[Snapshot, ...]:
    """Return the snapshots to list beside the backups; only who made some asks the server."""
    if from_ or not domain.recorded(run.project):
        return ()
    try:
        with running_stack(run) as (found, engine):
            return domain.entries(run.project, found, engine)
    except StackError as problem:
        run.console.note(f"snapshots are not listed: {problem}")
        return ()


def listed(run: Run, found: tuple[Snapshot, ...]) -> None:
    """Print the snapshots below the backups."""
    rows = [
        (each.name, sizes.shown(each.bytes), each.created_at[:16].replace("T", " "), VOLATILE)
        for each in found
    ]
    if rows and not run.json:
        run.console.table(("snapshot", "size", "created (UTC)", "state"), rows)

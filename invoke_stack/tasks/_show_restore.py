"""Results of the tasks that bring content back, as text or JSON."""

from __future__ import annotations

from invoke_stack.database.restoring.restore import UNDO, Restored
from invoke_stack.tasks._show_db import size
from invoke_stack.tasks._task import Run


def restored(run: Run, done: Restored) -> None:
    """Print what is live now and what was kept."""
    if run.json:
        run.console.document(done.mapping())
        return
    what = f"from {run.project.shown(done.file)}" if done.file else "as it was before"
    run.console.result(f"{done.database}: {what}")
    run.console.note(f"{done.seconds:.1f} s, not reachable for {done.downtime:.2f} s of them")
    if done.kept:
        run.console.note(f"kept: {done.kept} ({size(done.bytes)}); back with: {UNDO}")

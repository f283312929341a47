"""Results of the migration tasks as text or JSON."""

from __future__ import annotations

from dataclasses import asdict

from invoke.exceptions import Exit

from invoke_stack.database.migrating import State
from invoke_stack.errors import ExitCode
from invoke_stack.migrations.migrate import Migrated
from invoke_stack.tasks._task import Run


def migrated(run: Run, done: Migrated, *, plan: bool) -> None:
    """Print what was applied, or would be."""
    if run.json:
        run.console.document({**asdict(done), "plan": plan})
        return
    for name in done.applied:
        run.console.result(name)
    if done.backup:
        run.console.note(f"backup: {done.backup}")
    if done.done or plan:
        word = "pending" if plan else "applied"
        run.console.note(f"{done.tool}: {len(done.applied) or 'nothing'} {word}")


WORDS = ("pending", "failed", "edited", "unknown", "drift", "unmigrated")
ADVICE = {
    "pending": "inv db.migrate",
    "failed": "correct it, then: inv db.migrate --rolled-back NAME",
    "edited": "restore the file, put the change into a new migration",
    "unknown": "check out the branch that has it",
    "drift": "write the change into the schema and a migration, or undo it in the database",
    "unmigrated": "inv db.migrate --name NAME",
}


def status(run: Run, state: State) -> None:
    """Print how the database stands; anything to do ends with the exit code of findings."""
    if run.json:
        run.console.document(state.document())
    else:
        found = [(word, line) for word in WORDS for line in getattr(state, word)]
        if found:
            run.console.table(("what", "which"), found)
        for note in state.notes:
            run.console.note(f"note: {note}")
        for word in dict.fromkeys(word for word, _ in found):
            run.console.note(f"{word}: {ADVICE[word]}")
        run.console.note(f"{state.tool}: {len(state.applied)} applied")
    if not state.clean:
        raise Exit(code=int(ExitCode.FINDINGS))
    if not run.json:
        run.console.result("up to date")

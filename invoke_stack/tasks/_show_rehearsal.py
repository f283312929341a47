"""The result of `db.migrate --rehearse` as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from invoke.exceptions import Exit

from invoke_stack import sizes
from invoke_stack.errors import ExitCode, StackError
from invoke_stack.migrations.rehearsal import Change, Migration, Rehearsal
from invoke_stack.migrations.rehearse import AGAIN
from invoke_stack.tasks._task import Run

NEXT = {
    ExitCode.DONE: "nothing failed and nothing is lost; for real: inv db.migrate",
    ExitCode.FINDINGS: "data is lost; if that is meant: inv db.migrate",
}

READ = "only their SQL was read; on a copy of the data: inv db.migrate --rehearse"


def rehearsed(run: Run, found: Rehearsal) -> None:
    """Print what the migrations did on the copy; a loss ends with the exit code of findings."""
    if run.json:
        run.console.document(found.document())
    else:
        _printed(run, found)
    if found.failure is not None:
        failed = found.failure
        raise StackError(failed.where, failed.message, hint=AGAIN, detail=failed.detail)
    if found.code != ExitCode.DONE:
        raise Exit(code=int(found.code))


def _printed(run: Run, found: Rehearsal) -> None:
    console = run.console
    if not found.migrations:
        console.note("nothing is pending")
        return
    if found.done:
        rows = [(m.name, m.outcome, _seconds(m), *_lock(m)) for m in found.migrations]
        console.table(("migration", "outcome", "seconds", "strongest lock", "blocks"), rows)
    else:
        console.table(("migration",), [(each.name,) for each in found.migrations])
    for finding in found.findings:
        console.result(f"{finding.where}: {finding.effect}: {finding.statement}")
    for change in found.tables:
        console.result(_changed(change))
    for note in (*_locks(found), *(f"note: {each}" for each in found.notes)):
        console.note(note)
    if found.done:
        size = f"{sizes.shown(found.bytes)} copied in {found.copying:.1f} s"
        console.note(f"{size}, migrated in {found.seconds:.1f} s; the copy is dropped")
    if found.failure is None:
        console.note(NEXT[found.code] if found.done else READ)


def _locks(found: Rehearsal) -> Iterator[str]:
    """Yield the locks that the table has no room for, and the tables written anew."""
    for each in found.migrations:
        for number, lock in enumerate(each.locks or ()):
            if number:
                yield f"{each.name}: {lock.lock} on {lock.table}"
            if lock.rewrites:
                yield f"{each.name}: writes {lock.table} anew"


def _seconds(each: Migration) -> str:
    return "" if each.seconds is None else f"{each.seconds:.3f}"


def _lock(each: Migration) -> tuple[str, str]:
    if each.locks is None:
        return "?", ""
    if not each.locks:
        return "", ""
    strongest = each.locks[0]
    return f"{strongest.lock} on {strongest.table}", strongest.blocks


def _changed(change: Change) -> str:
    if change.after is None:
        return f"table {change.table}: gone, with {change.before:,} rows"
    words = [f"now called {change.renamed}"] if change.renamed else []
    if change.before != change.after:
        words.append(f"{change.before:,} rows, now {change.after:,}")
    if change.columns:
        words.append(f"lost {', '.join(change.columns)} ({change.before:,} rows)")
    return f"table {change.table}: {'; '.join(words)}"

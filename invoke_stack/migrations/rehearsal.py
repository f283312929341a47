"""What a rehearsal of migrations has found; pure: nothing is asked here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from invoke_stack.database.rehearser import Seen, Table
from invoke_stack.errors import ExitCode
from invoke_stack.migrations.destructive import Finding

Outcome = Literal["applied", "failed", "not run"]
Times = Mapping[str, "tuple[float, float] | None"]
"""When each migration that was applied began and ended; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The strongest lock that a migration took on a table that was there before.

    Attributes:
        lock: as the server's manual calls it.
        blocks: whom it keeps waiting until the migration's transaction ends, or "".
        rewrites: the whole table was written anew under it.
    """

    table: str
    lock: str
    blocks: str
    rewrites: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """How one pending migration went.

    Attributes:
        seconds: how long it took; None where nobody knows.
        locks: None where they could not be noted.
    """

    name: str
    outcome: Outcome = "not run"
    seconds: float | None = None
    locks: tuple[Lock, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A table that was there before and has another number of rows, another name or lost columns.

    Attributes:
        before: rows before.
        after: rows after; None where the table is gone.
        renamed: its new name, or "".
        columns: the columns that are gone.
    """

    table: str
    before: int
    after: int | None
    renamed: str = ""
    columns: tuple[str, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether data is gone: rows, or columns of a table that had rows."""
        return self.after is None or self.after < self.before or (self.before > 0 < self._gone)

    @property
    def _gone(self) -> int:
        return len(self.columns)


@dataclass(frozen=True, slots=True)
class Failure:
    """What the tool said when a migration failed on the copy."""

    where: str
    message: str
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All of it.

    Attributes:
        tool: the tool's name.
        database: the live database, which was only read.
        done: whether a copy was made; False for a plan and where nothing is pending.
        bytes: the size of the database.
        copying: how long the copy took, in seconds; its clients had to wait for that.
        seconds: how long the migrations took, the tool's own start included.
        migrations: the pending ones, in order.
        tables: what has changed in tables that were there before.
        findings: what their SQL says.
        notes: what was not looked at, and why.
    """

    tool: str
    database: str
    done: bool = False
    bytes: int = -1
    copying: float = 0.0
    seconds: float = 0.0
    migrations: tuple[Migration, ...] = ()
    tables: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> ExitCode:
        """How the task ends: a failure goes before losses, which are findings."""
        if self.failure is not None:
            return ExitCode.FAILED
        loses = any(each.loses for each in self.tables)
        if loses or any(each.severity == "error" for each in self.findings):
            return ExitCode.FINDINGS
        return ExitCode.DONE

    def document(self) -> dict[str, Any]:
        """Return the JSON of `db.migrate --rehearse`."""
        verdict = {ExitCode.FAILED: "failed", ExitCode.FINDINGS: "loses data"}
        found = dataclasses.asdict(self)
        for each, change in zip(found["tables"], self.tables, strict=True):
            each["loses"] = change.loses
        return {**found, "verdict": verdict.get(self.code, "passed")}


def changes(
    before: Iterable[Table], after: Iterable[Table], leaving: str = ""
) -> tuple[Change, ...]:
    """Return what became of each table; ``leaving`` is the journal's, which always grows."""
    now = {each.key: each for each in after}
    found = (_change(each, now.get(each.key)) for each in before if _bare(each.name) != leaving)
    return tuple(each for each in found if each is not None)


def _bare(name: str) -> str:
    return name.rpartition(".")[2].strip('"')


def _change(before: Table, after: Table | None) -> Change | None:
    if after is None:
        return Change(before.name, before.rows, None)
    gone = tuple(name for key, name in before.columns.items() if key not in after.columns)
    renamed = after.name if after.name != before.name else ""
    if (before.rows, before.name) == (after.rows, after.name) and not gone:
        return None
    return Change(before.name, before.rows, after.rows, renamed, gone)


def migrations(
    pending: Sequence[str],
    times: Times,
    seen: Sequence[Seen] | None,
    *,
    failed: bool,
    leaving: str = "",
) -> tuple[Migration, ...]:
    """Return how each pending migration went.

    Args:
        pending: in the order of the tool.
        times: when each that was applied began and ended.
        seen: what the server noted, None where it could not; each belongs to the first migration
            that ended after it.
        failed: the first one that was not applied is the one that failed.
        leaving: the journal's table, whose locks are the tool's own.
    """
    stopped = next((name for name in pending if name not in times), "") if failed else ""
    shares: dict[str, list[Seen]] = {name: [] for name in pending}
    for each in seen or ():
        if _bare(each.table) != leaving:
            shares[_owner(each, pending, times, stopped)].append(each)
    return tuple(
        Migration(
            name,
            "applied" if name in times else "failed" if name == stopped else "not run",
            _seconds(times.get(name)),
            # What a migration notes is rolled back with it.
            None if seen is None or name not in times else _strongest(shares[name]),
        )
        for name in pending
    )


def _owner(seen: Seen, pending: Sequence[str], times: Times, stopped: str) -> str:
    for name in pending:
        found = times.get(name)
        if name == stopped or (found is not None and seen.at <= found[1]):
            return name
    return pending[-1]


def _seconds(found: tuple[float, float] | None) -> float | None:
    return None if found is None else round(found[1] - found[0], 3)


def _strongest(seen: Iterable[Seen]) -> tuple[Lock, ...]:
    best: dict[str, Seen] = {}
    rewritten = set()
    for each in seen:
        if each.rewrites:
            rewritten.add(each.table)
        elif each.table not in best or best[each.table].strength < each.strength:
            best[each.table] = each
    ordered = sorted(best.values(), key=lambda each: (-each.strength, each.table))
    return tuple(
        Lock(each.table, each.lock, each.blocks, rewrites=each.table in rewritten)
        for each in ordered
        if each.strength
    )

"""What a rehearsal concludes from counts, times and locks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invoke_stack.database.postgres_rehearsal import PostgresRehearser
from invoke_stack.database.rehearser import Seen, Table
from invoke_stack.errors import ExitCode
from invoke_stack.migrations import rehearsal
from invoke_stack.migrations.destructive import Finding
from invoke_stack.migrations.rehearsal import Change, Failure, Lock, Migration, Rehearsal

COLUMNS = {"1": "id", "2": "name"}
BEFORE = (Table("10", "a", 5, COLUMNS), Table("11", "b", 0, COLUMNS), Table("12", "s._journal", 2))
WEAK = Seen(1.0, "CREATE INDEX", "a", "SHARE", 4, "writes")
STRONG = Seen(1.5, "ALTER TABLE", "a", "ACCESS EXCLUSIVE", 7, "reads and writes")


def test_tables_are_known_by_what_a_rename_keeps() -> None:
    after = (Table("10", "z", 4, {"1": "id"}), Table("11", "b", 0, {"1": "key", "2": "name"}))

    assert rehearsal.changes(BEFORE, after, "_journal") == (Change("a", 5, 4, "z", ("name",)),)
    assert rehearsal.changes(BEFORE, (), "_journal") == (Change("a", 5, None), Change("b", 0, None))
    assert rehearsal.changes(BEFORE, BEFORE) == ()


@pytest.mark.parametrize(
    ("change", "loses"),
    [
        (Change("a", 5, 4), True),
        (Change("a", 5, 6), False),
        (Change("a", 5, None), True),
        (Change("a", 5, 5, "b"), False),
        (Change("a", 5, 5, "", ("x",)), True),
        (Change("a", 0, 0, "", ("x",)), False),
    ],
)
def test_fewer_rows_and_filled_columns_are_a_loss(change: Change, *, loses: bool) -> None:
    assert change.loses is loses


def test_a_lock_belongs_to_the_first_migration_that_ended_after_it() -> None:
    later = replace(WEAK, at=3.0, table="b")
    anew = Seen(1.5, "ALTER TABLE", "a", rewrites=True)
    own = replace(STRONG, table="_journal")
    times = {"1": (0.5, 2.0), "2": (2.0, 4.0)}

    found = rehearsal.migrations(
        ("1", "2", "3"), times, (WEAK, STRONG, anew, own, later), failed=False, leaving="_journal"
    )

    assert found == (
        Migration("1", "applied", 1.5, (Lock("a", STRONG.lock, STRONG.blocks, rewrites=True),)),
        Migration("2", "applied", 2.0, (Lock("b", "SHARE", "writes"),)),
        Migration("3", "not run"),
    )


def test_the_first_one_that_was_not_applied_has_failed_and_its_locks_are_unknown() -> None:
    found = rehearsal.migrations(("1", "2", "3"), {"1": (0.0, 1.2)}, (WEAK, STRONG), failed=True)
    assert [(each.outcome, each.locks is None) for each in found] == [
        ("applied", False),
        ("failed", True),
        ("not run", True),
    ]


def test_a_tool_without_times_has_outcomes_all_the_same() -> None:
    (found,) = rehearsal.migrations(("1",), {"1": None}, None, failed=False)
    assert found == Migration("1", "applied", None, None)


def test_a_failure_goes_before_a_loss_and_a_warning_is_neither() -> None:
    base = Rehearsal("sql", "app")
    warned = replace(base, findings=(Finding("1", "m:1", "warning", "renames", "x"),))
    lost = replace(base, tables=(Change("a", 5, 4),))
    failed = replace(lost, failure=Failure("m:1", "no"))

    verdicts = [(each.code, each.document()["verdict"]) for each in (warned, lost, failed)]
    assert verdicts == [
        (ExitCode.DONE, "passed"),
        (ExitCode.FINDINGS, "loses data"),
        (ExitCode.FAILED, "failed"),
    ]
    assert lost.document()["tables"][0]["loses"] is True


def test_the_servers_answers_are_read() -> None:
    lines = (
        'NOTICE\n{"at" : 7.5, "tag" : "ALTER TABLE", "name" : "a", '
        '"mode" : "AccessExclusiveLock"}\n'
        '{"at" : 8, "tag" : "ALTER TABLE", "name" : "a", "mode" : ""}\n'
    )
    first, second = PostgresRehearser().read_seen(lines)
    assert first == Seen(7.5, "ALTER TABLE", "a", "ACCESS EXCLUSIVE", 7, "reads and writes")
    assert second.rewrites
    (table,) = PostgresRehearser().read_tables(
        '{"key" : "1", "name" : "a", "columns" : {"1":"id"}, "rows" : 3}'
    )
    assert table == Table("1", "a", 3, {"1": "id"})

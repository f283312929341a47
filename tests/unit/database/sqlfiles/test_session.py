"""What psql says about a script, in terms of the file."""

from typing import Any

import pytest

from invoke_stack.database import target
from invoke_stack.database.sqlfiles import journal, session
from invoke_stack.database.sqlfiles.files import Migration
from invoke_stack.database.sqlfiles.journal import Journal, Row
from invoke_stack.errors import BusyError, ExitCode, UnreachableError
from invoke_stack.events import Line
from invoke_stack.process import Command, Completed

EMPTY = Journal("public", there=False, rows=())
PLAIN = Migration("0001_it's", 1, "migrations/0001_it's.sql", "SELECT 1;\nSELECT 2", "abc", False)  # noqa: FBT003
ALONE = Migration("2_b", 2, "migrations/2_b.sql", "-- no transaction\nSELECT 1", "def", True)  # noqa: FBT003


def done(stderr: str, code: int = 3) -> Completed:
    return Completed(Command(()), code, "", stderr)


def test_an_error_stands_at_the_files_own_line(project: Any) -> None:
    said = "psql:<stdin>:15: NOTICE:  hello\npsql:<stdin>:22: ERROR:  boom\nLINE 1: x\n  ^\n"

    problem = session.failure(project, done(said), "migrations/1_a.sql", 20, "correct it")

    assert (problem.where, problem.message) == ("migrations/1_a.sql:2", "boom")
    assert problem.detail == ("LINE 1: x", "  ^")
    assert problem.hint == "correct it"


def test_an_error_of_ours_is_the_journals(project: Any) -> None:
    said = "psql:<stdin>:6: ERROR:  permission denied for schema public\n"

    problem = session.failure(project, done(said), "migrations/1_a.sql", 20, "")

    assert str(problem) == "table _sql_migrations: permission denied for schema public"


def test_a_lock_that_is_not_ours_to_wait_for_is_the_files_own_error(project: Any) -> None:
    late = "psql:<stdin>:%d: ERROR:  canceling statement due to lock timeout\n"

    ours = session.failure(project, done(late % 4), "1_a.sql", 20, "")
    theirs = session.failure(project, done(late % 21), "1_a.sql", 20, "")

    assert (ours.code, theirs.code) == (ExitCode.BUSY, ExitCode.FAILED)
    assert isinstance(ours, BusyError)
    assert theirs.where == "1_a.sql:1"


@pytest.mark.parametrize("said", ["", "psql: out of memory\n"])
def test_what_is_no_error_of_sql_is_said_as_it_is(project: Any, said: str) -> None:
    problem = session.failure(project, done(said, 1), "1_a.sql", 20, "")

    assert str(problem) == f"1_a.sql: {said.strip() or 'psql ended with code 1'}"


def test_a_connection_that_is_refused_is_no_fault_of_the_file(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    found = target.find(project, declared, engine)
    docker.answer("psql --file=-", code=2, err="FATAL:  password authentication failed for user")

    with pytest.raises(UnreachableError, match="database shop: the server does not let user app"):
        session.run(project, found, "SELECT 1;")


def test_notices_are_told_with_their_line(project: Any) -> None:
    told: list[Any] = []

    session.tell(project, told.append, done("psql:<stdin>:21: NOTICE:  hi\n", 0), "1_a.sql", 20)

    assert told == [Line("1_a.sql", "1_a.sql:1: NOTICE:  hi")]


def test_a_migration_and_its_row_are_one_transaction() -> None:
    script, before = journal.apply(EMPTY, PLAIN, 5)
    lines = script.splitlines()

    assert lines[before - 1 : before + 4] == [
        "BEGIN;",
        "SELECT 1;",
        "SELECT 2",
        ";",
        "RESET ROLE;",
    ]
    assert lines[-2].startswith("INSERT INTO public._sql_migrations (name, ")
    assert "'0001_it''s'" in lines[-2]
    assert lines[-1] == "COMMIT;"
    assert "SET lock_timeout = '5s';" in lines


def test_outside_a_transaction_the_row_comes_first_as_unfinished() -> None:
    script, before = journal.apply(EMPTY, ALONE, 5)
    lines = script.splitlines()

    assert "leaves_parts" in lines[before - 1]
    assert "finished_at" not in lines[before - 1]
    assert "finished_at" in lines[-1]
    assert "BEGIN;" not in lines


def test_the_journal_is_read_row_by_row() -> None:
    output = (
        '{"there": true, "schema": "\\"my own\\""}\n'
        '{"name": "1_a", "checksum": "x", "finished": true, "left": false, "error": null}\n'
        '{"name": "2_b", "checksum": "y", "finished": false, "left": true, "error": "boom"}\n'
    )

    found = journal.read(output)

    assert found.table == '"my own"._sql_migrations'
    assert found.applied == ("1_a",)
    assert found.rows[1] == Row("2_b", "y", finished=False, left=True, error="boom")
    assert journal.read('{"there": false, "schema": null}\n').schema == "public"


def test_the_script_goes_on_only_with_the_journal_that_was_read() -> None:
    rows = (Row("2_b", "y", finished=True, left=False, error=""), Row("1_a", "x", True, False, ""))  # noqa: FBT003
    found = Journal("public", there=True, rows=rows)

    assert "'1_a,2_b' AS changed" in journal.head(found)
    assert r"\quit" in journal.head(found)

"""Statements that lose data or break something, found in the SQL alone."""

from __future__ import annotations

import pytest

from invoke_stack.database.migrating import Script
from invoke_stack.migrations import destructive


def found(text: str) -> list[tuple[str, str, str]]:
    """Return line, severity and statement of each finding."""
    findings = destructive.look([Script("0001", "m/1.sql", text)])
    return [
        (each.where.removeprefix("m/1.sql:"), each.severity, each.statement) for each in findings
    ]


LOSES = [
    "DROP TABLE a",
    'drop table if exists "A b", c cascade',
    "DROP FOREIGN TABLE a",
    "DROP SCHEMA s CASCADE",
    "DROP OWNED BY someone",
    "DROP SEQUENCE s",
    "DROP TYPE mood CASCADE",
    "DROP EXTENSION vector CASCADE",
    "TRUNCATE a, b",
    "ALTER TABLE a DROP COLUMN b",
    'ALTER TABLE IF EXISTS ONLY s."A" DROP "b"',
    "ALTER TABLE a DROP b CASCADE",
    "DELETE FROM a",
    "DELETE FROM a USING b",
    "DELETE FROM a RETURNING (SELECT 1 FROM b WHERE c)",
]
WARNS = [
    "ALTER TABLE a ALTER COLUMN b TYPE varchar(3)",
    "ALTER TABLE a ALTER b SET DATA TYPE int USING b::int",
    "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE a ADD COLUMN b numeric(10, 2) NOT NULL",
    "ALTER TABLE a ADD IF NOT EXISTS b text NOT NULL CHECK (b <> '')",
    "ALTER TABLE a RENAME TO b",
    "ALTER TABLE a RENAME COLUMN b TO c",
    "ALTER TABLE a RENAME b TO c",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    "ALTER VIEW v RENAME TO w",
    "DROP VIEW v",
    "DROP MATERIALIZED VIEW v",
    "UPDATE a SET b = 1",
    "WITH n AS (SELECT 1 WHERE true) SELECT 1 FROM (UPDATE a SET b = 1 RETURNING b) x WHERE b = 1",
]
HARMLESS = [
    "CREATE TABLE a (id int NOT NULL REFERENCES b ON DELETE CASCADE)",
    "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0",
    "ALTER TABLE a ADD COLUMN b bigserial NOT NULL",
    "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS IDENTITY NOT NULL",
    "ALTER TABLE a ADD CONSTRAINT c CHECK (b IS NOT NULL)",
    "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c ON DELETE SET NULL",
    "ALTER TABLE a DROP CONSTRAINT c",
    "ALTER TABLE a ALTER COLUMN b DROP NOT NULL",
    "ALTER TABLE a ALTER COLUMN b DROP DEFAULT, ALTER b SET DEFAULT 1",
    "ALTER TABLE a RENAME CONSTRAINT b TO c",
    "ALTER INDEX a RENAME TO b",
    "DROP INDEX a",
    "DROP TYPE mood_old",
    "DELETE FROM a WHERE b",
    "UPDATE a SET b = 1 WHERE c",
    "INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET b = 1",
    "SELECT 1 FROM a FOR UPDATE",
    "CREATE TRIGGER t AFTER DELETE OR UPDATE ON a EXECUTE FUNCTION f()",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM a $$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM a; END",
    "COMMENT ON TABLE a IS 'DROP TABLE a; TRUNCATE a'",
    "SELECT 'it''s; DROP TABLE a', E'it\\'s; DROP TABLE a', $x$; DROP TABLE a; $$ $x$",
    'ALTER TABLE a ADD COLUMN "; DROP TABLE b" int',
    "-- DROP TABLE a;\n/* DROP TABLE a; /* nested */ TRUNCATE b; */",
    "CREATE TEMP TABLE a (x int); INSERT INTO a VALUES (1); DELETE FROM a; DROP TABLE a",
    'CREATE TABLE "A" (x int); ALTER TABLE "A" DROP COLUMN x',
]


@pytest.mark.parametrize("statement", LOSES)
def test_what_loses_data_is_an_error(statement: str) -> None:
    assert found(f"SELECT 1;\n{statement};\n") == [("2", "error", statement)]


@pytest.mark.parametrize("statement", WARNS)
def test_what_may_break_something_is_a_warning(statement: str) -> None:
    assert found(f"SELECT 1;\n{statement}") == [("2", "warning", statement)]


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_is_harmless_is_not_mentioned(statement: str) -> None:
    assert found(f"{statement};") == []


def test_each_action_of_an_alter_table_is_told_with_its_line() -> None:
    text = '-- first\nALTER TABLE "User"\n  ADD COLUMN a int,\n  DROP COLUMN b, -- gone\n  DROP c;'
    assert found(text) == [
        ("4", "error", 'ALTER TABLE "User" … DROP COLUMN b'),
        ("5", "error", 'ALTER TABLE "User" … DROP c'),
    ]


def test_a_do_block_is_read_and_a_cte_too() -> None:
    text = """DO $x$
BEGIN
  IF true THEN DELETE FROM a; END IF;
  TRUNCATE b;
END $x$;
WITH gone AS (DELETE FROM c RETURNING *) INSERT INTO d SELECT * FROM gone WHERE true;
"""
    assert [(line, words[:13]) for line, _, words in found(text)] == [
        ("3", "DELETE FROM a"),
        ("4", "TRUNCATE b"),
        ("6", "DELETE FROM c"),
    ]


def test_a_string_that_does_not_end_is_the_tools_to_complain_about() -> None:
    assert found("SELECT 'open; DROP TABLE a") in ([], [("1", "error", "DROP TABLE a")])
    assert found("SELECT $x$ open; DROP TABLE a") == []
    assert found("/* open; DROP TABLE a") == []


def test_a_long_statement_is_cut() -> None:
    (line,) = found("TRUNCATE " + "a" * 200)
    assert len(line[2]) == destructive.LONGEST
    assert line[2].endswith("…")

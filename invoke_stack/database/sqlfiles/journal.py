"""The journal table: SQL that reads and writes it, and the script around each migration.

A migration and its row in the journal are one transaction, so there is never one without the
other. Every script first takes a lock that the server keeps for one session at a time, then
compares the journal with what was read before; another run may have been faster.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from invoke_stack.database.sqlfiles.files import Migration

TABLE = "_sql_migrations"
LOCK = 7_235_419_880_142
"""A number of our own for the advisory lock, which counts within one database."""

LOCK_WAIT_S = 30
"""How long to wait for another run, in seconds."""

CHANGED = "invoke_stack: the journal has changed"
ERROR_LENGTH = 500

READ = f"""
\\set ON_ERROR_STOP on
SELECT json_build_object('there', to_regclass('{TABLE}') IS NOT NULL, 'schema', coalesce(
  (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('{TABLE}')),
  quote_ident(current_schema())));
SELECT to_regclass('{TABLE}') IS NOT NULL AS there \\gset
\\if :there
SELECT json_build_object('name', name, 'checksum', checksum, 'finished', finished_at IS NOT NULL,
                         'left', leaves_parts, 'error', error,
                         'began', extract(epoch FROM started_at),
                         'ended', extract(epoch FROM finished_at))
FROM {TABLE} ORDER BY started_at, name;
\\endif
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Row:
    """One migration in the journal.

    Attributes:
        left: it failed outside a transaction, so parts of it may be there.
        began, ended: seconds of the epoch, by the server's clock.
    """

    name: str
    checksum: str
    finished: bool
    left: bool
    error: str
    began: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class Journal:
    """What the database says; ``schema`` is where the table is, or would be, quoted for SQL."""

    schema: str
    there: bool
    rows: tuple[Row, ...]

    @property
    def table(self) -> str:
        """The table's full name: a migration may change the search path."""
        return f"{self.schema}.{TABLE}"

    @property
    def applied(self) -> tuple[str, ...]:
        """The migrations that are in the database, whole."""
        return tuple(row.name for row in self.rows if row.finished)


def read(output: str) -> Journal:
    """Return the journal in psql's output: JSON, one object to a line."""
    head, *rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    there = bool(head["there"])
    return Journal(str(head["schema"] or "public"), there, tuple(map(_read, rows)))


def _read(row: dict[str, Any]) -> Row:
    times = (float(row.get(each) or 0) for each in ("began", "ended"))
    error = row["error"] or ""
    return Row(
        row["name"], row["checksum"], bool(row["finished"]), bool(row["left"]), error, *times
    )


def head(journal: Journal, wait_s: int = LOCK_WAIT_S) -> str:
    """Return what begins every script: the lock, the table, and a look whether all is as read."""
    names = literal(",".join(sorted(journal.applied)))
    return f"""\\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET lock_timeout = '{wait_s}s';
SELECT pg_advisory_lock({LOCK});
RESET lock_timeout;
CREATE TABLE IF NOT EXISTS {journal.table} (
  name text PRIMARY KEY, checksum text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz, leaves_parts boolean NOT NULL DEFAULT false, error text);
SELECT coalesce(string_agg(name, ',' ORDER BY name COLLATE "C"), '') <> {names} AS changed
FROM {journal.table} WHERE finished_at IS NOT NULL \\gset
\\if :changed
\\echo '{CHANGED}'
\\quit
\\endif
RESET client_min_messages;
"""  # noqa: S608 - quoted by the functions below


def apply(journal: Journal, migration: Migration, wait_s: int) -> tuple[str, int]:
    """Return the script that applies a migration, and how many lines stand before its own."""
    begin = _mark(journal, migration, "leaves_parts", "true") if migration.alone else "BEGIN;\n"
    before = head(journal, wait_s) + begin
    end = "" if migration.alone else "COMMIT;\n"
    done = _mark(journal, migration, "finished_at", "clock_timestamp()")
    # A last statement without a semicolon, or a comment without a line end, ends here.
    script = f"{before}{migration.text}\n;\nRESET ROLE;\n{done}{end}"
    return script, before.count("\n")


def failed(journal: Journal, migration: Migration, error: str) -> str:
    """Return the script that notes a failure, unless another run has succeeded meanwhile."""
    return (
        f"INSERT INTO {journal.table} (name, checksum, error) VALUES ({literal(migration.name)}, "  # noqa: S608
        f"{literal(migration.checksum)}, {literal(error[:ERROR_LENGTH])}) "
        "ON CONFLICT (name) DO UPDATE SET error = excluded.error, checksum = excluded.checksum "
        f"WHERE {TABLE}.finished_at IS NULL;\n"
    )


def corrected(journal: Journal, name: str, checksum: str, *, applied: bool) -> str:
    """Return the script that writes down what somebody did by hand."""
    if not applied:
        where = f"name = {literal(name)} AND finished_at IS NULL"
        return head(journal) + f"DELETE FROM {journal.table} WHERE {where};\n"  # noqa: S608
    return head(journal) + _row(
        journal, name, checksum, {"finished_at": "clock_timestamp()", "leaves_parts": "false"}
    )


def _mark(journal: Journal, migration: Migration, column: str, value: str) -> str:
    values = {column: value, **({"leaves_parts": "false"} if column == "finished_at" else {})}
    return _row(journal, migration.name, migration.checksum, values)


def _row(journal: Journal, name: str, checksum: str, values: dict[str, str]) -> str:
    given = {"name": literal(name), "checksum": literal(checksum), **values, "error": "NULL"}
    kept = _joined(f"{column} = excluded.{column}" for column in given if column != "name")
    return (
        f"INSERT INTO {journal.table} ({_joined(given)}) VALUES ({_joined(given.values())}) "  # noqa: S608
        f"ON CONFLICT (name) DO UPDATE SET {kept};\n"
    )


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)


def identifier(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"

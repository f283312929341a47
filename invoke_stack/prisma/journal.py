"""Prisma's journal in the database, against the files of the project.

`prisma migrate status` does not see an edited file and takes a second; the journal's one table
tells both in a tenth. Its columns are part of Prisma's documented behaviour:
https://www.prisma.io/docs/orm/prisma-migrate/understanding-prisma-migrate/migration-histories
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_stack.database.migrating import State

SCRIPT = "migration.sql"
TABLE = "_prisma_migrations"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the journal that was not rolled back."""

    name: str
    checksum: str
    finished: bool


def query(schema: str) -> str:
    """Return statements that print the journal's lines as JSON, nothing where there is none."""
    table = f"{_quoted(schema)}.{TABLE}"
    return (
        "\\set ON_ERROR_STOP on\n"
        "SELECT json_build_object('tables', count(*)) FROM pg_tables "
        f"WHERE schemaname = {_literal(schema)} AND tablename <> '{TABLE}';\n"
        f"SELECT to_regclass({_literal(table)}) IS NOT NULL AS there \\gset\n"
        "\\if :there\n"
        "SELECT json_build_object('name', migration_name, 'checksum', checksum, "
        "'finished', finished_at IS NOT NULL, 'began', extract(epoch FROM started_at), "
        f"'ended', extract(epoch FROM finished_at)) FROM {table} "
        "WHERE rolled_back_at IS NULL ORDER BY started_at;\n"
        "\\endif\n"
    )


def rows(output: str) -> tuple[Row, ...]:
    """Return the lines in what `query` prints."""
    lines = [each for each in _objects(output) if "name" in each]
    return tuple(Row(str(e["name"]), str(e["checksum"]), bool(e["finished"])) for e in lines)


def times(output: str) -> dict[str, tuple[float, float]]:
    """Return when each applied migration began and ended, in seconds of the epoch."""
    lines = [each for each in _objects(output) if each.get("finished")]
    return {str(e["name"]): (float(e["began"]), float(e["ended"])) for e in lines}


def tables(output: str) -> int:
    """Return the number of tables besides the journal in what `query` prints."""
    return sum(int(each.get("tables") or 0) for each in _objects(output))


def _objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def scripts(folder: Path) -> dict[str, Path]:
    """Return the project's migrations, oldest first: name and SQL file, even a missing one."""
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_dir())
    except OSError:
        return {}
    return {name: folder / name / SCRIPT for name in names if not name.startswith(".")}


def compare(files: Mapping[str, Path], journal: Sequence[Row]) -> State:
    """Return the state that files and journal make."""
    finished = {row.name: row for row in journal if row.finished}
    failed = [row.name for row in journal if not row.finished and row.name not in finished]
    return State(
        "prisma",
        applied=tuple(finished),
        pending=tuple(name for name in files if name not in finished and name not in failed),
        failed=tuple(dict.fromkeys(failed)),
        edited=tuple(n for n, row in finished.items() if n in files and not _same(files[n], row)),
        unknown=tuple(name for name in finished if name not in files),
        notes=tuple(f"{name} has no {SCRIPT}" for name in files if not files[name].is_file()),
    )


def _same(path: Path, row: Row) -> bool:
    """Return whether the file is what was applied; other line ends are no edit, as for Prisma."""
    try:
        text = path.read_bytes()
    except OSError:
        return True  # a missing file is told as such
    plain = text.replace(b"\r\n", b"\n")
    forms = (text, plain, plain.replace(b"\n", b"\r\n"))
    return row.checksum in {hashlib.sha256(each).hexdigest() for each in forms}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""PostgreSQL: the programs that fill a database, and how many objects one has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_stack.database import postgres_proof
from invoke_stack.database import postgres_server as statements
from invoke_stack.database.state import Database, Machine, Server
from invoke_stack.database.values import Header

if TYPE_CHECKING:
    from invoke_stack.database.restorer import Load

# What is not finished is thrown away, so no commit waits for the disk. A parallel query of a
# foreign key's check takes more shared memory than Docker gives a container. More memory for
# indexes made 1 GB slower by a twentieth.
_OPTIONS = (
    "-c synchronous_commit=off -c max_parallel_workers_per_gather=0 "
    "-c default_transaction_read_only=off"
)
# A parallel build of pgvector's HNSW index takes all of `maintenance_work_mem` as shared memory,
# of the server's own index types none takes much: 1 GB is there a tenth sooner with them.
_SERIAL = f"{_OPTIONS} -c max_parallel_maintenance_workers=0"

# The transaction began when `now()` says; its first rename keeps everybody out.
_EXCHANGED = """SELECT 'exchanged in '
  || round(extract(epoch FROM clock_timestamp() - now())::numeric, 3) || ' s';
"""

# The first pg_restore that reads an archive of this version.
_READERS = {(1, 16): 17, (1, 15): 16, (1, 14): 12, (1, 13): 9}
_NEWEST = (1, 16)

# `df` and `nproc` are no part of the server: without them the answer is just shorter.
_MACHINE = """pg_restore --version
echo "cpus $(nproc 2>/dev/null)"
df -Pk "${PGDATA:-/}" 2>/dev/null | tail -n 1
"""

_DESCRIBED = 'pg_restore --list "$1" && pg_restore --schema-only --file=- "$1"'


@dataclass(frozen=True, slots=True)
class PostgresRestorer:
    """What `Postgres.restorer` is; statements are built in `postgres_server`."""

    maintenance: tuple[str, ...] = statements.MAINTENANCE
    mark: str = statements.MARK
    longest: int = 63

    def server(self, database: str) -> str:
        """Return one query for everything that no dump carries."""
        return statements.server(database)

    def read_server(self, output: str) -> Server:
        """Return the server's state."""
        return statements.read_server(output)

    def strict(self, statements: str) -> str:
        """Return psql's input with its own stop at the first error."""
        return f"\\set ON_ERROR_STOP on\n{statements}"

    def said(self, word: str) -> str:
        """Return psql's echo; it comes alone on its line."""
        return f"\n\\echo {word}\n"

    def create(self, name: str, like: Database, major: int) -> str:
        """Return CREATE DATABASE from template0 with the other one's locale."""
        return statements.create(name, like, major)

    def copy(self, name: str, template: str, major: int) -> str:
        """Return CREATE DATABASE from a template, as a copy of its files."""
        return statements.copy(name, template, major)

    def drop(self, name: str) -> str:
        """Return DROP DATABASE IF EXISTS."""
        return statements.drop(name)

    def dress(self, name: str, like: Database) -> str:
        """Return what RENAME and TEMPLATE lose: owner, privileges, limit, settings."""
        return statements.dress(name, like)

    def comment(self, name: str, text: str) -> str:
        """Return COMMENT ON DATABASE."""
        return statements.comment(name, text)

    def swap(self, renames: Sequence[tuple[str, str]], comments: Mapping[str, str]) -> str:
        """Return one transaction: the lock of the first rename keeps everybody out."""
        words = ["BEGIN;\n", statements.disconnect([old for old, _ in renames])]
        words += [statements.rename(old, new) for old, new in renames]
        words += [statements.comment(name, text) for name, text in comments.items()]
        return "".join([*words, _EXCHANGED, "COMMIT;\n"])

    def read_swap(self, said: Sequence[str]) -> float:
        """Return the server's own time for it."""
        found = (re.search(r"exchanged in (\d+\.\d+) s", line) for line in said)
        return next((float(each[1]) for each in found if each), 0.0)

    def disconnect(self, names: Sequence[str]) -> str:
        """Return pg_terminate_backend for every client there."""
        return statements.disconnect(names)

    def holders(self, names: Sequence[str]) -> str:
        """Return a query of pg_stat_activity."""
        return statements.holders(names)

    def in_use(self, words: str) -> bool:
        """Return whether a rename, drop or copy gave up waiting for others to leave."""
        return "is being accessed by other users" in words

    def role(self, name: str) -> str:
        """Return CREATE ROLE."""
        return statements.role(name)

    def drop_role(self, name: str) -> str:
        """Return DROP ROLE IF EXISTS."""
        return statements.drop_role(name)

    def emptied(self) -> str:
        """Return what lets a dump of the schema public alone create it itself."""
        return "DROP SCHEMA public;\n"

    def machine(self) -> tuple[str, ...]:
        """Return one call for the version of pg_restore, the processors and the free room."""
        return ("sh", "-c", _MACHINE)

    def read_machine(self, output: str) -> Machine:
        """Return its answers; what a container has not got stays unknown."""
        version = re.search(r"^pg_restore \(PostgreSQL\) (\d+)", output, re.MULTILINE)
        cpus = re.search(r"^cpus (\d+)", output, re.MULTILINE)
        room = re.search(r"^\S.* (\d+) +\d+%", output, re.MULTILINE)
        return Machine(
            client=int(version[1]) if version else 0,
            cpus=int(cpus[1]) if cpus else 1,
            free=int(room[1]) * 1024 if room else -1,
        )

    def needs(self, header: Header) -> int:
        """Return the first major version whose pg_restore reads the archive."""
        major, minor = (int(each) for each in header.archive.split("."))
        if (major, minor) > _NEWEST:
            return max(_READERS.values()) + 1
        return _READERS.get((major, minor), 0)

    def described(self, path: str) -> tuple[str, ...]:
        """Return the table of contents and the definitions as SQL, in one call."""
        return ("sh", "-c", _DESCRIBED, "sh", path)

    def load(self, path: str, database: str, how: Load) -> tuple[str, ...]:
        """Return pg_restore; its settings travel in PGOPTIONS, for every session it opens."""
        options = _OPTIONS if how.parallel else _SERIAL
        words = ["env", f"PGOPTIONS={options}", "pg_restore", "--exit-on-error", "--no-password"]
        words += ["--verbose", f"--dbname={_conninfo(database)}"]
        words += [] if how.owner else ["--no-owner"]
        words += [] if how.privileges else ["--no-privileges"]
        if how.in_place:
            words += ["--clean", "--if-exists", "--single-transaction"]
        else:
            words.append(f"--jobs={how.jobs}")
        return (*words, path)

    def script(self) -> tuple[str, ...]:
        """Return psql; `--file=-` makes it name the line of an error."""
        psql = ("psql", "-X", "-w", "-q", "-A", "-t", "--set=ON_ERROR_STOP=1")
        return ("env", f"PGOPTIONS={_SERIAL}", *psql, "--single-transaction", "--file=-")

    def counts(self) -> str:
        """Return one query over the catalogue."""
        return postgres_proof.OBJECTS

    def read_counts(self, output: str) -> Mapping[str, int]:
        """Return the answer of that query: one JSON object."""
        line = next((line for line in output.splitlines() if line.startswith("{")), "{}")
        return {str(kind): int(number) for kind, number in json.loads(line).items()}

    def analyze(self, database: str, jobs: int) -> tuple[str, ...]:
        """Return vacuumdb without the vacuum: it looks at several tables at a time."""
        place = f"--dbname={_conninfo(database)}"
        return ("vacuumdb", "--analyze-only", "--quiet", "--no-password", f"--jobs={jobs}", place)


def _conninfo(database: str) -> str:
    """Return a connection string: a bare name with `=` in it would be taken for one."""
    return "dbname='" + database.replace("\\", "\\\\").replace("'", "\\'") + "'"

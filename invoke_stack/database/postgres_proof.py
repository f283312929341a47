"""PostgreSQL: a database that lives for one check, and how many objects it got."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# The locale of the database we are connected to; columns that a version lacks are just absent.
_CREATE = r"""\set ON_ERROR_STOP on
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
         '{name}', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
  || CASE to_jsonb(d) ->> 'datlocprovider'
     WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
     WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d) ->> 'datlocale')
     ELSE '' END
FROM pg_database d WHERE d.datname = current_database() \gexec
ALTER DATABASE "{name}" SET synchronous_commit = off;
"""

_SWEEP = r"""
SELECT 'dropped ' || count(*) FROM pg_database
WHERE left(datname, {long}) = '{prefix}' HAVING count(*) > 0;
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM pg_database
WHERE left(datname, {long}) = '{prefix}' \gexec
"""

# As pg_dump lists them: nothing of extensions; no foreign keys that a partition inherits; checks
# only while they are not valid; no index that belongs to a constraint.
OBJECTS = r"""\set ON_ERROR_STOP on
CREATE TEMP VIEW own AS
SELECT c.oid, c.relkind, n.nspname, c.relname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
AND NOT EXISTS (SELECT FROM pg_depend x
  WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e');
SELECT json_build_object(
  'tables', (SELECT count(*) FROM own WHERE relkind IN ('r', 'p')),
  'materialized_views', (SELECT count(*) FROM own WHERE relkind = 'm'),
  'sequences', (SELECT count(*) FROM own WHERE relkind = 'S'),
  'indexes', (SELECT count(*) FROM pg_index i JOIN own t ON t.oid = i.indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k
      WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))),
  'constraints', (SELECT count(*) FROM pg_constraint k JOIN own t ON t.oid = k.conrelid
    WHERE k.contype IN ('p', 'u', 'x') OR (k.contype = 'f' AND k.conparentid = 0)
    OR (k.contype = 'c' AND NOT k.convalidated AND k.conislocal)),
  'large_objects', (SELECT count(*) FROM pg_largeobject_metadata));
"""

_ROWS = r"""
SELECT format('SELECT count(*) FROM ONLY %I.%I', nspname, relname) FROM own
WHERE relkind IN ('r', 'm') \gexec
"""


@dataclass(frozen=True, slots=True)
class PostgresProver:
    """What `Postgres.prover` is."""

    def create(self, name: str) -> str:
        """Return statements that make an empty database of the connected one's kind."""
        return _CREATE.format(name=name)

    def sweep(self, prefix: str) -> str:
        """Return statements that drop every database of a name prefix; both are ours."""
        return _SWEEP.format(prefix=prefix, long=len(prefix))

    def swept(self, answer: str) -> int:
        """Return how many those were."""
        found = re.search(r"^dropped (\d+)$", answer, re.MULTILINE)
        return int(found[1]) if found else 0

    def load(self, name: str) -> tuple[str, ...]:
        """Return pg_restore without what needs roles that may not be here."""
        words = ("--exit-on-error", "--no-owner", "--no-privileges", "--no-subscriptions")
        return ("pg_restore", *words, "--no-password", f"--dbname={name}")

    def count(self) -> str:
        """Return a query for the number of objects, then one number of rows for each table."""
        return OBJECTS + _ROWS

    def read_count(self, output: str) -> tuple[Mapping[str, int], int]:
        """Return both."""
        lines = output.splitlines()
        objects: Mapping[str, int] = next(
            (json.loads(line) for line in lines if line.startswith("{")), {}
        )
        return objects, sum(int(line) for line in lines if line.isdecimal())

    def refused(self, words: str) -> bool:
        """Return whether our user may not create databases."""
        return "permission denied to create database" in words

    def broken(self, words: str) -> bool:
        """Return whether the server, not the backup, is to blame."""
        trouble = (
            r"No space left|could not extend|terminating connection|closed the connection|"
            r"could not connect|connection to server|out of memory|the database system is"
        )
        return re.search(trouble, words) is not None

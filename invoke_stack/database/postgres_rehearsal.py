"""PostgreSQL: a copy that notes which locks migrations take, and how many rows its tables have.

An event trigger runs at the end of each statement that changes the schema, in its session and
transaction, where every lock taken so far is still held: nothing has to be caught in the act.
CREATE INDEX CONCURRENTLY alone has let go of its lock by then, which is known without looking.
https://www.postgresql.org/docs/current/event-triggers.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from invoke_stack.database.rehearser import Seen, Table

SCHEMA = "invstack_rehearsal"

# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES, weakest first.
_LOCKS = (
    ("AccessShareLock", "ACCESS SHARE", ""),
    ("RowShareLock", "ROW SHARE", ""),
    ("RowExclusiveLock", "ROW EXCLUSIVE", ""),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE", "other changes of its schema"),
    ("ShareLock", "SHARE", "writes"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE", "writes"),
    ("ExclusiveLock", "EXCLUSIVE", "writes"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE", "reads and writes"),
)
_STRENGTH = {mode: (number, lock, blocks) for number, (mode, lock, blocks) in enumerate(_LOCKS)}

_OWN = f"""n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{SCHEMA}')"""

_WATCH = f"""\\set ON_ERROR_STOP on
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.tables AS SELECT c.oid AS id, c.oid::regclass::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND {_OWN};
CREATE TABLE {SCHEMA}.seen (at timestamptz, tag text, name text, mode text);
CREATE FUNCTION {SCHEMA}.locked() RETURNS event_trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN
  INSERT INTO {SCHEMA}.seen
  SELECT clock_timestamp(), tg_tag, t.name, l.mode FROM pg_locks l
  JOIN {SCHEMA}.tables t ON t.id = l.relation
  WHERE l.pid = pg_backend_pid() AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
  INSERT INTO {SCHEMA}.seen
  SELECT clock_timestamp(), tg_tag, t.name, 'ShareUpdateExclusiveLock'
  FROM pg_event_trigger_ddl_commands() d JOIN pg_index i ON i.indexrelid = d.objid
  JOIN {SCHEMA}.tables t ON t.id = i.indrelid
  WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid()
    AND l.relation = i.indrelid AND l.mode <> 'AccessShareLock');
END $$;
CREATE FUNCTION {SCHEMA}.rewritten() RETURNS event_trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN
  INSERT INTO {SCHEMA}.seen SELECT clock_timestamp(), tg_tag, t.name, ''
  FROM {SCHEMA}.tables t WHERE t.id = pg_event_trigger_table_rewrite_oid();
END $$;
CREATE EVENT TRIGGER {SCHEMA}_locked ON ddl_command_end EXECUTE FUNCTION {SCHEMA}.locked();
CREATE EVENT TRIGGER {SCHEMA}_rewritten ON table_rewrite EXECUTE FUNCTION {SCHEMA}.rewritten();
ALTER EVENT TRIGGER {SCHEMA}_locked ENABLE ALWAYS;
ALTER EVENT TRIGGER {SCHEMA}_rewritten ENABLE ALWAYS;
"""  # noqa: S608 - a constant

_SEEN = f"""\\set ON_ERROR_STOP on
SELECT json_build_object('at', extract(epoch FROM at), 'tag', tag, 'name', name, 'mode', mode)
FROM {SCHEMA}.seen ORDER BY at;
"""  # noqa: S608 - a constant

# A table that nobody may read is left out, as is a view that holds nothing yet.
_TABLES = rf"""\set ON_ERROR_STOP on
SELECT format('SELECT json_build_object(''key'', %L, ''name'', %L, ''columns'', %L::json, '
  '''rows'', (SELECT count(*) FROM ONLY %s))', c.oid, c.oid::regclass,
  (SELECT coalesce(json_object_agg(attnum, attname ORDER BY attnum), '{{}}') FROM pg_attribute
   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND has_table_privilege(c.oid, 'SELECT')
AND {_OWN} ORDER BY c.oid::regclass::text \gexec
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class PostgresRehearser:
    """What `Postgres.rehearser` is."""

    def watch(self) -> str:
        """Return two event triggers and what they write into, in a schema of their own."""
        return _WATCH

    def seen(self) -> str:
        """Return a query of what they wrote."""
        return _SEEN

    def read_seen(self, output: str) -> tuple[Seen, ...]:
        """Return its answer: JSON, one object to a line."""
        return tuple(_seen(row) for row in _objects(output))

    def tables(self) -> str:
        """Return one count for each table, by psql's own loop."""
        return _TABLES

    def read_tables(self, output: str) -> tuple[Table, ...]:
        """Return its answer: JSON, one object to a line."""
        return tuple(
            Table(str(r["key"]), str(r["name"]), int(r["rows"]), r["columns"])
            for r in _objects(output)
        )


def _objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def _seen(row: dict[str, Any]) -> Seen:
    strength, lock, blocks = _STRENGTH.get(row["mode"], (0, "", ""))
    rewrites = not row["mode"]
    at, tag, name = float(row["at"]), str(row["tag"]), str(row["name"])
    return Seen(at, tag, name, lock, strength, blocks, rewrites=rewrites)

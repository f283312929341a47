"""PostgreSQL: argument lists for its own client programs, and readers of what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoke_stack.compose import families
from invoke_stack.compose.model import Service
from invoke_stack.database import postgres_listing, postgres_messages
from invoke_stack.database.postgres_export import PostgresExporter
from invoke_stack.database.postgres_proof import PostgresProver
from invoke_stack.database.postgres_rehearsal import PostgresRehearser
from invoke_stack.database.postgres_restore import PostgresRestorer
from invoke_stack.database.values import Contents, Facts, Header, Login, Stakes
from invoke_stack.errors import StackError, UsageError

MAGIC = b"PGDMP"
ZSTD_SINCE = 16
CONNECT_S = 5

# pg_dump's custom format: every block of rows is closed by the number 0, a sign and four bytes.
_LAST_BLOCK = bytes(5)
_HEADER_BYTES = 13
_NUMBERED_SINCE = (1, 15)
_ALGORITHMS = ("none", "gzip", "lz4", "zstd")


# `\if` keeps what a role may not read, or what is not there, from failing the rest. The first
# answer is the one that must come; a locked Prisma table is not waited for.
_FACTS = r"""\set ON_ERROR_STOP on
SET lock_timeout = '2s';
SELECT json_build_object(
  'server', current_setting('server_version'),
  'major', current_setting('server_version_num')::int / 10000,
  'database_bytes', pg_database_size(d.oid),
  'encoding', pg_encoding_to_char(d.encoding),
  'collate', d.datcollate,
  'ctype', d.datctype,
  'locale_provider', to_jsonb(d) ->> 'datlocprovider',
  'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
  'owner', pg_get_userbyid(d.datdba),
  'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'set', s.setconfig)),
                               '[]')
               FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
               WHERE s.setdatabase = d.oid),
  'extensions', (SELECT coalesce(json_object_agg(extname, extversion ORDER BY extname), '{}')
                 FROM pg_extension),
  'large_objects', (SELECT count(*) FROM pg_largeobject_metadata))
FROM pg_database d WHERE d.datname = current_database();
\set ON_ERROR_STOP off
SELECT has_function_privilege('pg_control_system()', 'execute') AS control,
       coalesce(has_table_privilege(to_regclass('_prisma_migrations'), 'select'), false) AS prisma
\gset
\if :control
SELECT json_build_object('system_identifier', system_identifier::text) FROM pg_control_system();
\endif
\if :prisma
SELECT json_build_object('migration', (
  SELECT migration_name FROM _prisma_migrations
  WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY finished_at DESC LIMIT 1));
\endif
"""

_STAKES = r"""\set ON_ERROR_STOP on
SELECT json_build_object(
  'bytes', CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) ELSE -1 END,
  'tables', (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$'),
  'sessions', (SELECT count(*) FROM pg_stat_activity
               WHERE datid = d.oid AND pid <> pg_backend_pid()),
  'protected', EXISTS (
    SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS pair
    WHERE s.setdatabase = d.oid AND pair ~* '^invoke_stack\.protected=(on|true|yes|1)$'))
FROM pg_database d WHERE datname = current_database();
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """The built-in provider.

    Attributes:
        lock_wait_s: how long a dump waits for tables that a session has locked.
    """

    name: str = "postgres"
    lock_wait_s: int = 30

    @property
    def prover(self) -> PostgresProver:
        """What restores a backup for a look at it; see `proof.Prover`."""
        return PostgresProver()

    @property
    def restorer(self) -> PostgresRestorer:
        """What exchanges and fills databases; see `restorer.Restorer`."""
        return PostgresRestorer()

    @property
    def rehearser(self) -> PostgresRehearser:
        """What notes locks and rows in a copy; see `rehearser.Rehearser`."""
        return PostgresRehearser()

    @property
    def exporter(self) -> PostgresExporter:
        """What writes scripts; see `forms.Exporter`."""
        return PostgresExporter(self.lock_wait_s)

    def recognises(self, service: Service) -> bool:
        """Return whether the image is PostgreSQL or one of its relatives."""
        return families.is_database(service)

    def login(self, environment: Mapping[str, str], user: str, database: str) -> Login:
        """Return whom to connect as, with the official image's own defaults."""
        chosen = user or families.first(environment, families.POSTGRES_USER) or "postgres"
        return Login(
            user=chosen,
            database=database or families.first(environment, families.POSTGRES_DATABASE) or chosen,
            password=families.first(environment, families.POSTGRES_PASSWORD),
        )

    def session(self, login: Login, application: str) -> Mapping[str, str]:
        """Return libpq's variables: unlike an argument, a name in one is never parsed."""
        values = {
            "PGAPPNAME": application,
            "PGCONNECT_TIMEOUT": str(CONNECT_S),
            "PGDATABASE": login.database,
            **({"PGUSER": login.user} if login.user else {}),
            **({"PGPASSWORD": login.password} if login.password else {}),
        }
        return {**values, **login.variables}

    def probe(self) -> tuple[str, ...]:
        """Return a query over TCP: while the volume is made, only the socket answers."""
        return (*self.client(), "--host=127.0.0.1", "--command=SELECT 1")

    def client(self) -> tuple[str, ...]:
        """Return psql without the user's own configuration and without any prompt."""
        return ("psql", "-X", "-w", "-q", "-A", "-t")

    def shell(self, statement: str, *, bare: bool, interactive: bool = False) -> tuple[str, ...]:
        """Return psql; only a person gets their own `.psqlrc`."""
        if interactive:
            return ("psql", "-w")
        rows = ("-A", "-t", "--field-separator=\t") if bare else ("--pset=pager=off",)
        # Standard input as a file: what fails is then named with its line.
        source = f"--command={statement}" if statement else "--file=-"
        return ("psql", "-X", "-w", "-q", "-v", "ON_ERROR_STOP=1", *rows, source)

    def facts(self) -> str:
        """Return the statements behind a manifest."""
        return _FACTS

    def read_facts(self, output: str) -> Facts:
        """Return the facts in psql's output: JSON objects, one to a line."""
        found: dict[str, object] = {}
        for line in output.splitlines():
            if line.startswith("{"):
                found |= json.loads(line)
        return Facts(str(found.pop("server", "")), int(str(found.pop("major", 0))), found)

    def stakes(self) -> str:
        """Return one query; the mark is read from the catalogue, where no session hides it."""
        return _STAKES

    def read_stakes(self, output: str) -> Stakes:
        """Return the answer of that query: one JSON object."""
        line = next((line for line in output.splitlines() if line.startswith("{")), "{}")
        return Stakes(**json.loads(line))

    def ending(self, application: str, spared: str = "") -> str:
        """Return a statement that ends sessions by name prefix; the names are ours."""
        other = f"AND application_name <> '{spared}' " if spared else ""
        return (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608
            f"WHERE left(application_name, {len(application)}) = '{application}' "
            f"{other}AND pid <> pg_backend_pid();\n"
        )

    def compressions(self, wanted: str, major: int) -> tuple[str, ...]:
        """Return what to try: zstd where the version knows it, since a build may lack it.

        Raises:
            UsageError: the setting is none of the words it may be.
        """
        if wanted == "auto":
            return ("zstd:1", "gzip:1") if major >= ZSTD_SINCE else ("gzip:1",)
        if not re.fullmatch(r"none|gzip:[1-9]|zstd:(?:[1-9]|1\d|2[0-2])", wanted):
            raise UsageError(
                "stack.db.compression",
                f"no such compression: {wanted}",
                hint="auto, none, gzip:1 to gzip:9 or zstd:1 to zstd:22",
            )
        return (wanted,)

    def dump(self, compression: str) -> tuple[str, ...]:
        """Return pg_dump in the format that a plain pg_restore reads."""
        # A bare number is gzip in every version; the long form came with PostgreSQL 16.
        level = {"none": "0"}.get(compression, compression.removeprefix("gzip:"))
        wait = f"--lock-wait-timeout={self.lock_wait_s}s"
        return ("pg_dump", "--format=custom", f"--compress={level}", wait, "--no-password")

    def uncompressed(self, stderr: str) -> bool:
        """Return whether pg_dump refused the compression: its build or version lacks it."""
        words = r"does not support compression|compression level|-Z|--compress"
        return re.search(words, stderr) is not None

    def header(self, first: bytes) -> Header | None:
        """Return version and compression; from archive 1.15 on the latter is a number."""
        if not first.startswith(MAGIC) or len(first) < _HEADER_BYTES:
            return None
        version = (first[5], first[6])
        # Before, it was a gzip level: a sign and then the number.
        number = first[11] if version >= _NUMBERED_SINCE else min(first[12], 1)
        known = number < len(_ALGORITHMS)
        return Header("{}.{}".format(*version), _ALGORITHMS[number] if known else f"#{number}")

    def listing(self) -> tuple[str, ...]:
        """Return the call that prints the table of contents."""
        return ("pg_restore", "--list")

    def read_listing(self, lines: Sequence[str]) -> Contents:
        """Return the table of contents, counted; entries of other kinds are left out."""
        return postgres_listing.read(lines)

    def whole(self, last: bytes, contents: Contents) -> bool:
        """Return whether the last block of rows is closed; without rows nothing can be told."""
        return not contents.data or last.endswith(_LAST_BLOCK)

    def decode(self) -> tuple[str, ...]:
        """Return the call that turns the backup into SQL and throws that away."""
        return ("pg_restore", "--file=/dev/null")

    def explain(self, login: Login, stderr: str) -> StackError | None:
        """Return what a message of psql or pg_dump means for the user."""
        return postgres_messages.explain(login, stderr, self.lock_wait_s)

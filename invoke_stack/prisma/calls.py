"""Prisma's argument lists, by its major version."""

from __future__ import annotations

from invoke_stack.database.migrating import Development
from invoke_stack.prisma.scripts import WORDS

CONFIG_SINCE = 7
"""The first major version that takes the database's URL from its config file alone."""

GENERATES_UNTIL = 6
"""The last major version whose `migrate dev` also generates the client."""


def action(name: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the arguments of one of the actions that scripts also have."""
    return (*WORDS[name], *arguments)


def development(request: Development, major: int) -> tuple[str, ...]:
    """Return the options of `migrate dev`; seeding stays a step of its own."""
    words = ["--name", request.name] if request.name else []
    words += ["--create-only"] if request.create_only else []
    words += ["--skip-seed"] if major <= GENERATES_UNTIL else []
    return tuple(words)


def schema_difference(schema: str, major: int, *, back: bool = False) -> tuple[str, ...]:
    """Return the call that compares the database with the schema; it ends with 0, or 2.

    It tells what would make the database fit; ``back``, what the database has otherwise.
    """
    database: tuple[str, ...]
    wanted: tuple[str, ...]
    if major < CONFIG_SINCE:
        database, wanted = ("schema-datasource", schema), ("schema-datamodel", schema)
    else:
        database, wanted = ("config-datasource",), ("schema", schema)
    (start, *first), (end, *second) = (wanted, database) if back else (database, wanted)
    sides = (f"--from-{start}", *first, f"--to-{end}", *second)
    return ("migrate", "diff", *sides, "--exit-code")


def history_difference(migrations: str) -> tuple[str, ...]:
    """Return the call that compares what migrations make with the database; from 7 on.

    It makes a database of its own on the same server and removes it again. Before 7 it would
    want that database's URL, with the password, as an argument.
    """
    sides = ("--from-migrations", migrations, "--to-config-datasource")
    return ("migrate", "diff", *sides, "--exit-code")


def resolve(name: str, *, applied: bool) -> tuple[str, ...]:
    """Return the call that writes into the journal what became of a migration."""
    return ("migrate", "resolve", "--applied" if applied else "--rolled-back", name)


def studio(port: int, major: int) -> tuple[str, ...]:
    """Return the options of `studio`: on loopback, and without a browser of its own.

    Prisma 6 listens on every interface unless it is told otherwise; 7 has no word for it.
    """
    words = ("--port", str(port), "--browser", "none")
    if major >= CONFIG_SINCE:
        return words
    return (*words, "--hostname", "127.0.0.1")

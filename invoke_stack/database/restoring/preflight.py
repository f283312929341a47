"""Whether a dump can be restored here, asked before anything is created."""

from __future__ import annotations

import re
from collections.abc import Iterable

from invoke_stack import sizes
from invoke_stack.database.restoring.plaindump import Summary
from invoke_stack.database.restoring.source import Source
from invoke_stack.database.state import Machine, Server
from invoke_stack.errors import RefusedError, StackError, UsageError

ROOM = 1.2
"""How much of the database's size has to be free: indexes are built beside their tables."""


def require_rights(server: Server, database: str) -> None:
    """Require a user that may create databases and rename this one.

    Raises:
        UsageError: it may not; says what to do.
    """
    where = f"database {database}"
    if not server.creates:
        text = f"user {server.user} may not create databases, so there is no place beside it"
        hint = (
            f"let a superuser run: ALTER ROLE {server.user} CREATEDB\n"
            "or go over what is there, without undo: --in-place"
        )
        raise UsageError(where, text, hint=hint)
    live = server.database(database)
    if live is not None and not live.owned:
        text = f"belongs to {live.owner}; user {server.user} may not rename it"
        raise UsageError(where, text, hint="set stack.db.user to its owner")


def require_version(made: str, server: Server, *, force: bool) -> None:
    """Require a server that is not older than the one the dump was made from.

    Args:
        made: that one's version, "" where nobody knows.
        server: where it goes.
        force: try it all the same; the live database is safe either way.

    Raises:
        RefusedError: it is older.
    """
    major = int(found[0]) if (found := re.match(r"\d+", made)) else 0
    if major > server.major and not force:
        text = f"the dump was made from PostgreSQL {made}, this server is {server.version}"
        hint = "raise the image's major version, or try it with --force: the live one is safe"
        raise RefusedError("db.restore", text, hint=hint)


def require_reader(source: Source, needed: int, machine: Machine) -> None:
    """Require a program of the server's own that reads the archive.

    Raises:
        RefusedError: it is too old.
    """
    if source.header is not None and machine.client and needed > machine.client:
        text = (
            f"archive {source.header.archive} needs the programs of version {needed} or newer, "
            f"the server came with {machine.client}"
        )
        raise RefusedError(source.file.name, text, hint="raise the image's major version")


def require_extensions(found: Summary, server: Server) -> None:
    """Require every extension of the dump to be installable.

    Raises:
        UsageError: names those that are not.
    """
    missing = sorted(found.extensions - set(server.extensions))
    if missing:
        text = f"the dump needs extensions that this server does not have: {', '.join(missing)}"
        hint = "use an image that has them, on Docker: see the image of production"
        raise UsageError("db.restore", text, hint=hint)


def missing_roles(found: Summary, server: Server) -> tuple[str, ...]:
    """Return the roles that own or may use something and are not there."""
    return tuple(sorted(found.roles - server.roles))


def require_roles(missing: Iterable[str], user: str) -> None:
    """Require that there are none.

    Raises:
        UsageError: names them and both ways out.
    """
    listed = ", ".join(missing)
    if listed:
        text = f"roles of the dump are missing here: {listed}"
        hint = f"create them, without login: --create-roles\nor give all to {user}: --no-owner"
        raise UsageError("db.restore", text, hint=hint)


def require_room(machine: Machine, expected: int, task: str = "db.restore") -> None:
    """Require room for the new database beside the live one.

    Raises:
        StackError: with the bytes needed and free.
    """
    needed = int(expected * ROOM)
    if 0 <= machine.free < needed:
        text = (
            f"too little room beside the data: {sizes.shown(needed)} are needed, "
            f"{sizes.shown(machine.free)} are free"
        )
        raise StackError(task, text, hint="make room on the engine's disk")

"""What a server says about itself and about the databases that a task is going to exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Setting:
    """One `ALTER DATABASE … SET`; with a role it is `ALTER ROLE … IN DATABASE … SET`."""

    role: str
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege on a database; the grantee "" is everybody."""

    grantor: str
    grantee: str
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class Database:
    """A database as the server's catalogue has it: what no dump carries and no copy keeps.

    Attributes:
        provider: of collations: "libc", "icu", "builtin", or "" before PostgreSQL 15.
        locale: the provider's own locale name, "" for libc.
        rules: ICU rules.
        tablespace: "" for the server's default.
        limit: how many may connect, -1 without a limit.
        grants: its privileges in the order they were given; None while nobody changed them.
        bytes: its size, -1 where the server does not say.
        sessions: how many clients are connected.
        owned: whether our user may rename and drop it.
    """

    name: str
    owner: str = ""
    encoding: str = ""
    collate: str = ""
    ctype: str = ""
    provider: str = ""
    locale: str = ""
    rules: str = ""
    tablespace: str = ""
    limit: int = -1
    comment: str = ""
    grants: tuple[Grant, ...] | None = None
    settings: tuple[Setting, ...] = ()
    bytes: int = -1
    sessions: int = 0
    owned: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """A server, its roles, and the databases that matter here: the target and its variants.

    Attributes:
        creates: whether our user may create databases.
        extensions: what could be installed, with the default version.
        names: of all databases.
    """

    version: str
    major: int
    user: str
    superuser: bool
    creates: bool
    roles: frozenset[str]
    extensions: Mapping[str, str]
    names: frozenset[str]
    databases: tuple[Database, ...]

    def database(self, name: str) -> Database | None:
        """Return a database that matters here, or None."""
        return next((each for each in self.databases if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the server's own programs run.

    Attributes:
        client: major version of the program that restores.
        cpus: how many processors it may use.
        free: bytes that are free beside the server's data, -1 where nobody knows.
    """

    client: int
    cpus: int
    free: int


def state_of(server: Server, database: str, also: Mapping[str, object]) -> Database:
    """Return what a new database is made like.

    That is the one it replaces; where there is none, what a manifest says of the one that was
    backed up, and what neither says is left to the server.
    """
    found = server.database(database)
    if found is not None:
        return found
    owner = str(also.get("owner") or "")
    locale = str(also.get("locale") or "")
    provider = {"c": "libc", "i": "icu", "b": "builtin"}.get(str(also.get("locale_provider")), "")
    return Database(
        name=database,
        owner=owner if owner in server.roles else server.user,
        encoding=str(also.get("encoding") or ""),
        collate=str(also.get("collate") or ""),
        ctype=str(also.get("ctype") or ""),
        provider=provider if locale or provider == "libc" else "",
        locale=locale,
    )

"""Plain data that providers return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["stack", "loopback", "remote"]
"""Whose a database is: this stack's, on this machine (perhaps a tunnel), or elsewhere."""


@dataclass(frozen=True, slots=True)
class Login:
    """Whom to connect as, and to which database; the password is "" where none is known.

    Attributes:
        variables: what else a client's environment needs to get there: host, port, TLS. Empty
            for the server that runs in the same container.
    """

    user: str
    database: str
    password: str = field(default="", repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says about the database.

    Attributes:
        server: the server's version, such as "16.14".
        major: its major number, which decides what a dump can be restored into.
        details: more for the manifest, by the names it has there.
    """

    server: str
    major: int
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stakes:
    """What there is to lose in a database; -1 where the server does not say.

    Attributes:
        bytes: its size on the server's disk.
        sessions: how many other clients are connected to it.
        protected: its owner has marked it.
    """

    bytes: int = -1
    tables: int = -1
    sessions: int = -1
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The first bytes of a backup: version of its format, compression as the file has it."""

    archive: str
    compression: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup contains.

    Attributes:
        client: version of the program that wrote it.
        counts: number of tables, sequences, indexes, … by kind.
        data: whether it holds rows, not only definitions.
        database: name of the database that was dumped, or "".
        server: version of the server that it was dumped from, or "".
    """

    client: str
    counts: Mapping[str, int]
    data: bool
    database: str = ""
    server: str = ""

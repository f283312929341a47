"""Databases of ours beside the user's own: new ones, kept ones, snapshots.

Each carries a mark in its comment, which alone makes it ours: a database that is only called
like one is somebody else's. The mark also keeps the comment that the database itself had.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from invoke_stack.database import catalog
from invoke_stack.database.state import Database, Server

Kind = Literal["new", "old", "snap"]

_STAMP = "%Y%m%dT%H%M%SZ"
_HASHED = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """What the comment of a database of ours says.

    Attributes:
        of: the database that it is a variant of.
        at: when it was made, or taken out of use.
        by: beginning of the session names of whoever made it, see `sessions.prefix`.
        label: a snapshot's name.
        comment: what the comment was before.
    """

    kind: Kind
    of: str
    at: str
    by: str = ""
    label: str = ""
    comment: str = ""

    @property
    def time(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.at).astimezone(UTC)

    def text(self, mark: str) -> str:
        """Return the comment; ``mark`` is the provider's beginning of it."""
        words = json.dumps({key: value for key, value in asdict(self).items() if value})
        return mark.removesuffix("{") + words


@dataclass(frozen=True, slots=True)
class Variant:
    """A database of ours, as the server lists it."""

    database: Database
    mark: Mark

    @property
    def name(self) -> str:
        """Its name on the server."""
        return self.database.name


def name(database: str, kind: Kind, word: str, longest: int) -> str:
    """Return a variant's name, such as `app__old_20261120T170459Z`.

    A long name is cut, between characters, and told apart by a hash of all of it.

    Args:
        database: the database's own name.
        kind: what it is.
        word: a time stamp or a label, in plain letters.
        longest: how many bytes a name may have.
    """
    tail = f"__{kind}_{word}"
    room = longest - len(tail)
    data = database.encode()
    if len(data) <= room:
        return database + tail
    digest = hashlib.sha256(data).hexdigest()[:_HASHED]
    return f"{data[: room - _HASHED - 1].decode(errors='ignore')}~{digest}{tail}"


def free_name(server: Server, database: str, kind: Kind, longest: int) -> str:
    """Return a variant's name with the time, that no database has."""
    stamp = datetime.now(UTC).strftime(_STAMP)
    for again in itertools.count(1):
        found = name(database, kind, stamp if again == 1 else f"{stamp}-{again}", longest)
        if found not in server.names:
            break
    return found


def mark(kind: Kind, of: str, *, by: str = "", label: str = "", comment: str = "") -> Mark:
    """Return a mark made now."""
    return Mark(kind, of, catalog.stamp(datetime.now(UTC)), by, label, comment)


def find(server: Server, database: str, beginning: str, *kinds: Kind) -> tuple[Variant, ...]:
    """Return a database's variants of these kinds, newest first.

    Args:
        server: its state.
        database: the database's own name.
        beginning: the provider's beginning of a mark.
        kinds: which ones; all when there is none.
    """
    read = [(each, _read(each.comment, beginning)) for each in server.databases]
    found = [Variant(each, mark) for each, mark in read if mark is not None]
    ours = [
        each
        for each in found
        if each.mark.of == database and (not kinds or each.mark.kind in kinds)
    ]
    return tuple(sorted(ours, key=lambda each: (each.mark.at, each.name), reverse=True))


def _read(comment: str, beginning: str) -> Mark | None:
    if not comment.startswith(beginning):
        return None
    try:
        found = json.loads(comment[len(beginning) - 1 :])
        mark = Mark(**{key: str(value) for key, value in found.items()})  # type: ignore[arg-type]
        _ = mark.time
    except (TypeError, ValueError):  # somebody wrote into it
        return None
    return mark if mark.kind in {"new", "old", "snap"} else None

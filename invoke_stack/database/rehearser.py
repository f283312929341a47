"""What a provider has to offer, beyond `Restorer`, so that migrations can be rehearsed on a copy.

A provider has it under the attribute ``rehearser``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from invoke_stack.database.parts import part

if TYPE_CHECKING:
    from invoke_stack.database.provider import Provider


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a part of a partitioned one, or a materialized view.

    Attributes:
        key: what stays the same when it is renamed.
        columns: what stays the same when a column is renamed, and its name.
    """

    key: str
    name: str
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server noted at the end of a statement that changed the schema.

    Attributes:
        at: when, in seconds of the epoch.
        statement: its first words, such as "ALTER TABLE".
        table: one that was there before the migrations.
        lock: the lock held on it, in the words of the server's manual.
        strength: the higher, the more others have to wait.
        blocks: whom it keeps waiting, or "".
        rewrites: the statement wrote the whole table anew.
    """

    at: float
    statement: str
    table: str
    lock: str = ""
    strength: int = 0
    blocks: str = ""
    rewrites: bool = False


class Rehearser(Protocol):
    """Statements for the copy, before and after the migrations."""

    def watch(self) -> str:
        """Return statements that make the copy note its locks; only for a superuser."""

    def seen(self) -> str:
        """Return a query for what it has noted."""

    def read_seen(self, output: str) -> tuple[Seen, ...]:
        """Return the answer of that query, in the order of time."""

    def tables(self) -> str:
        """Return a query for all tables and how many rows each has."""

    def read_tables(self, output: str) -> tuple[Table, ...]:
        """Return the answer of that query."""


def of(provider: Provider) -> Rehearser:
    """Return what rehearses on this provider's databases.

    Raises:
        UsageError: it has nothing of the kind.
    """
    hint = "give it a `rehearser`: see invoke_stack.database.rehearser.Rehearser"
    return cast("Rehearser", part(provider, "rehearser", "cannot rehearse migrations", hint))

"""What a provider has to offer, beyond `Provider`, so that its backups can be restored.

A provider has it under the attribute ``restorer``. One without that attribute backs up, lists
and verifies as before; restoring says that it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from invoke_stack.database.parts import part
from invoke_stack.database.provider import Provider
from invoke_stack.database.state import Database, Machine, Server
from invoke_stack.database.values import Header


class Restorer(Protocol):
    """Statements about whole databases, and the programs that fill one.

    Statements are text for the provider's own client; names in them are quoted here.
    """

    @property
    def maintenance(self) -> tuple[str, ...]:
        """Return the databases to connect to while another one is renamed, best first."""

    @property
    def mark(self) -> str:
        """Return how the comment of a database of ours begins."""

    @property
    def longest(self) -> int:
        """Return how many bytes a database's name may have."""

    def server(self, database: str) -> str:
        """Return statements whose output ``read_server`` understands."""

    def read_server(self, output: str) -> Server:
        """Return the server's state."""

    def strict(self, statements: str) -> str:
        """Return the statements so that the first error ends the client."""

    def said(self, word: str) -> str:
        """Return what makes the client print a word: a proof that it came so far."""

    def create(self, name: str, like: Database, major: int) -> str:
        """Return the statement that makes an empty database of the same kind as another."""

    def copy(self, name: str, template: str, major: int) -> str:
        """Return the statement that copies a database inside the server."""

    def drop(self, name: str) -> str:
        """Return the statement that drops a database, if it is there."""

    def dress(self, name: str, like: Database) -> str:
        """Return statements that give a database another one's owner, rights and settings."""

    def comment(self, name: str, text: str) -> str:
        """Return the statement that sets a database's comment."""

    def swap(self, renames: Sequence[tuple[str, str]], comments: Mapping[str, str]) -> str:
        """Return one transaction that ends the sessions, renames in order, and comments."""

    def read_swap(self, said: Sequence[str]) -> float:
        """Return how many seconds that transaction took, from what the client printed."""

    def disconnect(self, names: Sequence[str]) -> str:
        """Return a statement that ends every client's session in these databases."""

    def holders(self, names: Sequence[str]) -> str:
        """Return a query for who is connected to these databases, one line each."""

    def in_use(self, words: str) -> bool:
        """Return whether the client's words say that somebody was connected."""

    def role(self, name: str) -> str:
        """Return the statement that makes a role which owns things and may not log in."""

    def drop_role(self, name: str) -> str:
        """Return the statement that takes such a role back."""

    def emptied(self) -> str:
        """Return statements, for a new database, that make room for the dump's own schema."""

    def machine(self) -> tuple[str, ...]:
        """Return a program that prints what ``read_machine`` understands."""

    def read_machine(self, output: str) -> Machine:
        """Return versions, processors and room where the server's programs run."""

    def needs(self, header: Header) -> int:
        """Return the major version of the first program that reads such an archive."""

    def described(self, path: str) -> tuple[str, ...]:
        """Return a program that prints a backup's list of contents, then its definitions."""

    def load(self, path: str, database: str, how: Load) -> tuple[str, ...]:
        """Return the program that fills a database from a backup, with several processes."""

    def script(self) -> tuple[str, ...]:
        """Return the client that runs the statements on its stdin in one transaction."""

    def counts(self) -> str:
        """Return a query for the number of objects in the database, as backups count them."""

    def read_counts(self, output: str) -> Mapping[str, int]:
        """Return the answer of that query."""

    def analyze(self, database: str, jobs: int) -> tuple[str, ...]:
        """Return the program that has the server look at the new rows for its planner."""


class Load(Protocol):
    """How a backup is loaded; `restoring.load.Options` is one."""

    @property
    def jobs(self) -> int:
        """Return how many processes work on it."""

    @property
    def owner(self) -> bool:
        """Return whether objects get their owners back."""

    @property
    def privileges(self) -> bool:
        """Return whether objects get their privileges back."""

    @property
    def parallel(self) -> bool:
        """Return whether several processes may build one index: not an extension's own."""

    @property
    def in_place(self) -> bool:
        """Return whether it goes over what is there, in one transaction."""


def of(provider: Provider) -> Restorer:
    """Return what restores this provider's backups.

    Raises:
        UsageError: it has nothing of the kind.
    """
    hint = "give it a `restorer`: see invoke_stack.database.restorer.Restorer"
    return cast("Restorer", part(provider, "restorer", "cannot restore", hint))

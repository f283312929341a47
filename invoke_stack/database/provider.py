"""What a kind of database has to offer for the `db.*` tasks; PostgreSQL is the built-in one.

A provider only builds argument lists and reads output. Who runs them, and where, is decided
elsewhere: `Target` turns an argument list into a call inside the database's container.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from invoke_stack.compose.model import Service
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.values import Contents, Facts, Header, Login, Stakes
from invoke_stack.errors import StackError, UsageError


@runtime_checkable
class Provider(Protocol):
    """One kind of database.

    Programs are argument lists for the database's own container, so that client and server
    always fit; they find the database through the environment that ``session`` returns.
    """

    @property
    def name(self) -> str:
        """Return the word that manifests carry."""

    def recognises(self, service: Service) -> bool:
        """Return whether the service runs this kind of database."""

    def login(self, environment: Mapping[str, str], user: str, database: str) -> Login:
        """Return whom to connect as; ``user`` and ``database`` win where they are set."""

    def session(self, login: Login, application: str) -> Mapping[str, str]:
        """Return the environment of a client that carries a name the server shows."""

    def probe(self) -> tuple[str, ...]:
        """Return a client that prints 1 once the database answers as it will to the app."""

    def client(self) -> tuple[str, ...]:
        """Return a client that runs the statements on its stdin and prints bare values."""

    def shell(self, statement: str, *, bare: bool, interactive: bool = False) -> tuple[str, ...]:
        """Return a client for people: runs a statement, or what it reads, and then ends.

        Args:
            statement: what to run; "" reads standard input.
            bare: print rows for another program, columns separated by tabs.
            interactive: a person types; else the first error ends it.
        """

    def facts(self) -> str:
        """Return statements whose output ``read_facts`` understands."""

    def read_facts(self, output: str) -> Facts:
        """Return the server's facts about the database."""

    def stakes(self) -> str:
        """Return statements whose output ``read_stakes`` understands."""

    def read_stakes(self, output: str) -> Stakes:
        """Return size, sessions and the owner's mark of the database."""

    def ending(self, application: str, spared: str = "") -> str:
        """Return a statement that ends every session of that name prefix but one, and counts."""

    def compressions(self, wanted: str, major: int) -> tuple[str, ...]:
        """Return the compressions to try in turn, best first, for a setting and a server."""

    def dump(self, compression: str) -> tuple[str, ...]:
        """Return the program that writes a backup to stdout."""

    def uncompressed(self, stderr: str) -> bool:
        """Return whether the dump program says that it cannot compress that way."""

    def header(self, first: bytes) -> Header | None:
        """Return what the first bytes of a backup say; None when it is something else."""

    def listing(self) -> tuple[str, ...]:
        """Return the program that lists the contents of the backup on its stdin."""

    def read_listing(self, lines: Sequence[str]) -> Contents:
        """Return what the backup contains."""

    def whole(self, last: bytes, contents: Contents) -> bool:
        """Return whether the last bytes of a backup with these contents can be its end."""

    def decode(self) -> tuple[str, ...]:
        """Return the program that reads the whole backup on its stdin and writes nothing."""

    def explain(self, login: Login, stderr: str) -> StackError | None:
        """Return the error for a client's message where its cause and remedy are known."""


HEAD_BYTES = 64
"""How many first bytes of a backup a provider gets to recognise it."""

TAIL_BYTES = 16
"""How many last bytes of a backup a provider gets to see whether it ends there."""


def built_in() -> tuple[Provider, ...]:
    """Return the providers that need no setting."""
    return (Postgres(),)


def loaded(configured: Sequence[Any]) -> tuple[Provider, ...]:
    """Return the providers of the setting `db.providers`: objects or "module:name".

    Raises:
        UsageError: a name leads nowhere, or to something that is no provider.
    """
    return tuple(_loaded(entry) for entry in configured)


def find(service: Service, configured: Sequence[Any] = ()) -> Provider:
    """Return the provider for a service; configured ones are asked first.

    Raises:
        UsageError: none recognises its image.
    """
    known = (*loaded(configured), *built_in())
    for provider in known:
        if provider.recognises(service):
            return provider
    names = ", ".join(provider.name for provider in known)
    raise UsageError(
        f"service {service.name}",
        f"no database provider for its image {service.image or '(built here)'}",
        hint=f"known: {names}; add another in the setting stack.db.providers",
    )


def _loaded(entry: Any) -> Provider:
    found = entry
    if isinstance(entry, str):
        try:
            found = pkgutil.resolve_name(entry)
        except (ImportError, AttributeError, ValueError) as problem:
            hint = "write it as module:name, of a module that Python finds from the project root"
            raise UsageError("stack.db.providers", f"{entry}: {problem}", hint=hint) from problem
    if isinstance(found, type):
        found = found()
    if not isinstance(found, Provider):
        raise UsageError(
            "stack.db.providers",
            f"{entry!r} is not a database provider",
            hint="see invoke_stack.database.provider.Provider for what it needs",
        )
    return found

"""The forms that a backup can have: an archive, or a script for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from invoke_stack.database.parts import part
from invoke_stack.database.provider import Provider
from invoke_stack.errors import UsageError


@dataclass(frozen=True, slots=True)
class Form:
    """One value of `db.backup --format`.

    Attributes:
        archive: whether it is the kind that is verified, pruned and restored by default; the
            others are exports, which only whoever made them removes.
    """

    name: str
    suffix: str
    archive: bool = False
    compressed: bool = False


CUSTOM = Form("custom", ".dump", archive=True)
FORMS = {
    each.name: each
    for each in (CUSTOM, Form("plain", ".sql"), Form("plain.gz", ".sql.gz", compressed=True))
}


class Exporter(Protocol):
    """What a provider has under the attribute ``exporter`` when it can write scripts."""

    def script(self, *, compressed: bool) -> tuple[str, ...]:
        """Return the program that writes the database as a script, gzipped on request."""

    def globals(self) -> tuple[str, ...]:
        """Return the program that writes what all databases share; never a password."""

    def complete(self, last: bytes) -> bool:
        """Return whether these are the last bytes of a script of either kind."""


def named(name: str) -> Form:
    """Return the form of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMS:
        raise UsageError("--format", f"no such format: {name}", hint=f"one of {', '.join(FORMS)}")
    return FORMS[name]


def exporter(provider: Provider) -> Exporter:
    """Return what writes this provider's scripts.

    Raises:
        UsageError: it has nothing of the kind.
    """
    hint = "leave --format and --globals away"
    return cast("Exporter", part(provider, "exporter", "writes no scripts", hint))

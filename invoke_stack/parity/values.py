"""The atoms of a declaration: places, values with their place, versions, secrets, addresses."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from invoke_stack.compose.nodes import Src as Src  # noqa: PLC0414 - an atom like the others; YAML needs it, too

T = TypeVar("T")

Certainty = Literal["declared", "default", "inferred", "unknown"]
"""declared: the file says it · default: the platform or tool says it when the file does not ·
inferred: read off something else · unknown: nobody says it, and no rule may compare it."""

NOWHERE = Src("")


@dataclass(frozen=True, slots=True)
class Val(Generic[T]):
    """A value that never appears without its place.

    Attributes:
        value: None when absent or unknown.
        note: why it is what it is, for people (`Render's default for new databases`).
    """

    value: T | None
    src: Src = NOWHERE
    certainty: Certainty = "declared"
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether a rule may compare it."""
        return self.value is not None and self.certainty != "unknown"

    @property
    def declared(self) -> bool:
        """Whether the project itself says it."""
        return self.value is not None and self.certainty == "declared"


ABSENT: Val[str] = Val(None)
"""Nobody says anything: `certainty` is declared and the value None."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as written, and its leading numbers.

    Attributes:
        text: `16-alpine`, `^20.1`, `8`.
        parts: (16,), (20, 1), (8,); () when it states no number (`latest`, `lts`).
        floating: moves by itself: no tag, `latest`, `lts`, a channel.
        range: a range with several majors or an open end (`>=18`, `18 || 20`).
    """

    text: str
    parts: tuple[int, ...] = ()
    floating: bool = False
    range: bool = False

    @property
    def major(self) -> int | None:
        """The first number."""
        return self.parts[0] if self.parts else None

    @property
    def minor(self) -> tuple[int, ...]:
        """The first two numbers: Python's and Ruby's "major"."""
        return self.parts[:2]

    def __str__(self) -> str:
        return self.text


def version(text: str) -> Version:
    """Return what a version, image tag or simple range says."""
    plain = text.strip()
    found = re.search(r"\d+(?:\.\d+)*", plain)
    parts = tuple(int(each[:9]) for each in found[0].split(".")[:4]) if found else ()
    ranged = bool(re.search(r"[<>*|]|\s-\s", plain)) or plain.casefold().endswith(".x")
    return Version(plain, parts, floating=not parts, range=ranged)


@dataclass(frozen=True, slots=True)
class Masked:
    """A secret outside its reader: comparable, never readable.

    Attributes:
        length: characters.
        digest: equal for equal secrets; stays in memory and out of every output, since the
            digest of a weak password tells the password.
    """

    length: int
    digest: str

    def __repr__(self) -> str:
        return f"Masked({self.length})"


def masked(text: str) -> Masked:
    """Return the mask of a secret."""
    return Masked(len(text), hashlib.blake2b(text.encode("utf-8", "replace")).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Address:
    """Where a value points: a URL or `host:port`.

    Attributes:
        scheme: lower case; "" for a bare `host` or `host:port`.
        host: lower case, without brackets; "" when none.
        port: None when the value says none.
        path: from the first `/` of a URL, without the query.
        user: as written.
        password: masked; None without one.
    """

    scheme: str
    host: str
    port: int | None = None
    path: str = ""
    user: str = ""
    password: Masked | None = None

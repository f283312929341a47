"""The password inside a URL, found and replaced as text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

_URL = re.compile(
    r"(?P<head>(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40})://[^:@/\s]*:)(?P<password>[^\s/?#]*)(?=@)"
)


@dataclass(frozen=True, slots=True)
class Password:
    """A URL's password, decoded, and the URL's scheme."""

    scheme: str
    text: str = field(repr=False)

    @property
    def is_database(self) -> bool:
        """Whether the URL is that of PostgreSQL, with any driver."""
        return self.scheme.casefold().partition("+")[0] in {"postgres", "postgresql"}


def password(value: str) -> Password | None:
    """Return the password in a URL; None without one, or when it is a reference."""
    found = _URL.search(value)
    if found is None or not found["password"] or "$" in found["password"]:
        return None
    return Password(found["scheme"], unquote(found["password"]))


def with_password(value: str, new: str) -> str:
    """Return the URL with another password, every other byte kept."""
    return _URL.sub(lambda found: found["head"] + quote(new, safe="-._~"), value, count=1)

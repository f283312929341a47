"""Secrets in bytes: this project's own values, private keys, and tokens of known forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from invoke_stack.environment import placeholders

OVERLAP = 4096
"""Bytes that two parts of one file share, so that nothing is cut in half."""

_SHORTEST = 8
_BINARY_HEAD = 1024


class Form(NamedTuple):
    """A kind of token: the bytes that every one begins with, and what follows."""

    name: str
    anchor: bytes
    pattern: re.Pattern[bytes]


def _form(name: str, anchor: str, rest: str) -> Form:
    return Form(name, anchor.encode(), re.compile(rf"(?<![\w]){re.escape(anchor)}{rest}".encode()))


# As their makers document them; the length keeps ordinary words and code out.
TOKENS = (
    _form("an AWS access key", "AKIA", r"[0-9A-Z]{16}(?!\w)"),
    _form("a GitHub token", "ghp_", r"[A-Za-z0-9]{36}(?!\w)"),
    _form("a GitHub token", "gho_", r"[A-Za-z0-9]{36}(?!\w)"),
    _form("a GitHub token", "ghs_", r"[A-Za-z0-9]{36}(?!\w)"),
    _form("a GitHub token", "github_pat_", r"\w{60,}"),
    _form("a GitLab token", "glpat-", r"[\w-]{20}"),
    _form("an npm token", "npm_", r"[A-Za-z0-9]{36}(?!\w)"),
    _form("a Slack token", "xox", r"[abprs]-[0-9A-Za-z-]{20,}"),
    _form("a Stripe key", "sk_live_", r"[0-9A-Za-z]{20,}"),
    _form("a Stripe key", "rk_live_", r"[0-9A-Za-z]{20,}"),
    _form("a Google API key", "AIza", r"[\w-]{35}(?![\w-])"),
    _form("a SendGrid key", "SG.", r"[\w-]{22}\.[\w-]{43}"),
)
_REGISTRY = Form(
    "a registry password",
    b":_authToken",
    re.compile(rb":_authToken\s*=\s*[\"']?(?!\$)[\w./+=-]{8,}"),
)
_KEY_ANCHOR = b"PRIVATE KEY"
# Four lines of key at least: programs that read keys hold the first line alone.
_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)*"
    rb"(?:[\w-]+: [^\n]*\s+)*(?:[A-Za-z0-9+/=]{16,}(?:\s|\\n|\\r)*){2,}"
)
KEY = "a private key"
KNOWN = "the value of "
"""How a finding of one of the project's own values begins."""


@dataclass(frozen=True, slots=True)
class Value:
    """A secret value of this project and the variable that holds it."""

    key: str
    raw: bytes


class Needles:
    """Finds secrets in the content of files.

    Args:
        values: this project's secret values by key; short and made-up ones are left out.
    """

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._values = tuple(
            Value(key, value.encode()) for key, value in values if _worth(key, value)
        )

    def names(self, data: bytes, *, text: bool = True) -> Iterator[str]:
        """Yield what is found: `the value of DATABASE_URL`, `a private key`, `a GitHub token`.

        Args:
            data: a part of a file.
            text: whether it is a text; programs, which hold keys to test themselves with, are
                searched for known values alone.
        """
        for each in self._values:
            if each.raw in data:
                yield f"{KNOWN}{each.key}"
        if not text:
            return
        if _KEY_ANCHOR in data and _KEY.search(data):
            yield KEY
        for form in (*TOKENS, _REGISTRY):
            if form.anchor in data and form.pattern.search(data):
                yield form.name

    def found(self, content: Iterable[memoryview]) -> frozenset[str]:
        """Return everything that a file holds; it is read once and never kept whole."""
        names: set[str] = set()
        before = b""
        text: bool | None = None
        for part in content:
            if text is None:
                text = b"\0" not in bytes(part[:_BINARY_HEAD])
            data = before + bytes(part) if before else bytes(part)
            names.update(self.names(data, text=text))
            before = data[-OVERLAP:]
        return frozenset(names)


def _worth(key: str, value: str) -> bool:
    """Tell whether a value is long and odd enough that finding it means something."""
    return (
        len(value) >= _SHORTEST
        and not placeholders.repeated(value)
        and not placeholders.reason(key, value)
    )

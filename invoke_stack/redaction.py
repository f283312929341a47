"""What is a secret, how it is shown to people, and how it is kept out of any text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"

_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY"
    r"|APP_KEY|MASTER_KEY|SIGNING|ENCRYPTION|WEBHOOK"
    r"|(?:^|_)(?:PASS|PWD|SALT|DSN)(?:_|$)"
)
_OPEN_NAME = re.compile(
    r"^(?:NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|VITE|REACT_APP)_"
    r"|(?:PUBLIC_KEY|PUBLISHABLE_KEY|KEY_ID|_TTL|_FILE)$"
    r"|^(?:OLD)?PWD$"  # the shell's working folder
)
_SECRET_VALUE = re.compile(r"-----BEGIN |gh[opsur]_|github_pat_|glpat-|xox|eyJ|AKIA|sk_|rk_live_")
# Bounded, so that a long value without any URL takes no more than one look at each character.
_AUTHORITY = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40})://(?=(?P<rest>\S{0,4096}))")
_QUERY_SECRET = re.compile(
    r"(?<=[?&;])(?P<name>[\w.-]*(?:password|passwd|pwd|secret|token|api_?key)=)(?P<value>[^&;#\s]+)",
    re.IGNORECASE,
)
# In a web address an `@` may stand in the path; anywhere else it ends a raw password.
_WEB = frozenset({"http", "https", "ws", "wss"})

# A shorter text is part of countless words: replacing it hides the output, not the secret.
_SHORTEST = 4
_WEAK = 10
# Lines of a key file that are worth finding on their own, as logs print them one by one.
_SHORTEST_LINE = 16


def is_sensitive(key: str, value: str | None) -> bool:
    """Tell whether a value must not be shown, by its key's name or by its own form."""
    name = key.upper()
    if _SECRET_NAME.search(name) and not _OPEN_NAME.search(name):
        return True
    return value is not None and bool(_SECRET_VALUE.match(value) or _url_passwords(value))


def masked(key: str, value: str, *, sensitive: bool | None = None) -> str:
    """Return the value as people may see it.

    Of a URL only the password is hidden; any other secret shrinks to its length. Pass
    ``sensitive`` when more than key and value is known, such as a mark in a template.
    """
    if not value:
        return "(empty)"
    if not (is_sensitive(key, value) if sensitive is None else sensitive):
        return value
    # `X_SECRET=https://hooks/T0/B1`: the whole address is the secret. A DSN is just a URL.
    named = is_sensitive(key.upper().replace("DSN", "URL"), "")
    spans = () if named else _url_passwords(value)
    if not spans:
        return f"(set, {len(value)} chars)"
    for start, end in sorted(spans, reverse=True):
        value = value[:start] + MASK + value[end:]
    return value


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces secrets in text that is about to be shown or written.

    Secrets shorter than 4 characters are left alone: `***` in place of every "db" or "1"
    would ruin the text and still give the secret away by what is missing.
    For the same reason a secret that is part of a public word stays: with the password
    `postgres` every name of the service `postgres` would turn into `***`.
    """

    secrets: Iterable[str] = ()
    public: Iterable[str] = ()
    _needles: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "secrets", frozenset(self.secrets))
        object.__setattr__(self, "public", frozenset(self.public))
        needles = {needle for secret in self.secrets for needle in _needles(secret)}
        needles -= {each for each in needles if any(each in word for word in self.public)}
        # Longest first, or a secret's own prefix would leave its tail behind.
        ordered = sorted(needles, key=lambda needle: (-len(needle), needle))
        object.__setattr__(self, "_needles", tuple(ordered))

    def __repr__(self) -> str:
        return f"Redactor({len(frozenset(self.secrets))} secrets)"

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        found = [_pattern(needle) for needle in self._needles if needle in text]
        return re.sub("|".join(found), MASK, text) if found else text

    def add(self, *secrets: str) -> Redactor:
        """Return a redactor that knows these secrets too."""
        return Redactor((*self.secrets, *secrets), self.public)

    def allow(self, *words: str) -> Redactor:
        """Return a redactor that leaves these public names readable."""
        return Redactor(self.secrets, (*self.public, *words))


def _pattern(needle: str) -> str:
    """Return what finds a secret; a weak one only as a word of its own (`admin`, not `pgadmin`)."""
    weak = len(needle) < _WEAK and needle.isalnum()
    word = re.escape(needle)
    return rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])" if weak else word


def _needles(secret: str) -> Iterator[str]:
    forms = [secret, *(secret[start:end] for start, end in _url_passwords(secret))]
    forms += [unquote(form) for form in forms[1:]]
    forms += [
        line.strip() for line in secret.splitlines()[1:-1] if len(line.strip()) >= _SHORTEST_LINE
    ]
    for form in forms:
        if len(form) >= _SHORTEST:
            yield form
            yield quote(form, safe="", errors="surrogateescape")
            yield quote(form, errors="surrogateescape")
            yield form.replace("$", "$$")  # as `docker compose config` prints it
            yield json.dumps(form)[1:-1]
            yield json.dumps(form, ensure_ascii=False)[1:-1]


def _url_passwords(value: str) -> tuple[tuple[int, int], ...]:
    """Return where the passwords of the URLs in a value start and end."""
    spans = []
    for found in _AUTHORITY.finditer(value):
        rest = found["rest"]
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        if "@" not in authority and found["scheme"].lower() not in _WEB:
            authority = rest  # a raw `/`, `?` or `#` in the password
        userinfo, at, _ = authority.rpartition("@")
        _, colon, password = userinfo.partition(":")
        if at and colon and password:
            end = found.start("rest") + len(userinfo)
            spans.append((end - len(password), end))
        spans += [
            (found.start("rest") + query.start("value"), found.start("rest") + query.end("value"))
            for query in _QUERY_SECRET.finditer(rest, len(authority) if at else 0)
        ]
    return tuple(spans)

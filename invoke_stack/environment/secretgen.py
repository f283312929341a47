"""Generated secrets: `@generate=hex(32)` and its relatives.

Every kind stays within characters that all readers of env files give back unchanged, in any
quoting, and never starts with a dash: a password that does is taken for a flag by programs.
"""

from __future__ import annotations

import base64
import re
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from invoke_stack.environment import types
from invoke_stack.errors import UsageError
from invoke_stack.redaction import is_sensitive

ALPHABET = frozenset(string.ascii_letters + string.digits + "_.~:/@%+=,-")
"""All that a generated secret consists of."""

_CALL = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9]*)(?:\((?P<size>[0-9]{0,4})\))?")
_LETTERS = string.ascii_letters + string.digits
_SMALLEST, _LARGEST = 8, 1024

# Given out by someone else: random text in their place looks like a key and is none.
_ISSUED = re.compile(
    r"CLIENT_SECRET|API_?KEY|ACCESS_?KEY|(?:AUTH|ACCESS|BOT|REFRESH|PERSONAL|DEPLOY)_TOKEN|^TOKEN$"
    r"|WEBHOOK|PRIVATE|CREDENTIAL|DSN|^(?:SMTP|MAIL|MAILER|EMAIL)_"
    r"|^(?:AWS|AZURE|GCP|GOOGLE|GITHUB|GITLAB|STRIPE|OPENAI|ANTHROPIC|TWILIO|SENDGRID|RESEND|CLERK"
    r"|AUTH0|SENTRY|SLACK|DISCORD|FACEBOOK|APPLE|CLOUDINARY|CLOUDFLARE|SUPABASE|VERCEL|PAYPAL"
    r"|MAILGUN|POSTMARK|ALGOLIA|PUSHER|NPM|HF|TELEGRAM)_"
)


@dataclass(frozen=True, slots=True)
class Generator:
    """One way to make a secret; ``size`` counts bytes, or characters for base62."""

    name: str
    size: int

    def make(self) -> str:
        """Return a new secret."""
        while (made := _KINDS[self.name].make(self.size)).startswith("-"):
            continue
        return made


@dataclass(frozen=True, slots=True)
class _Kind:
    size: int
    make: Callable[[int], str]
    sized: bool = True


def parse(text: str, where: str) -> Generator:
    """Read the argument of `@generate`; without one it is hex(32).

    Raises:
        UsageError: there is no such generator, or its size makes no secret.
    """
    if not text:
        return DEFAULT
    found = _CALL.fullmatch(text.strip())
    name = found["name"].casefold() if found else text.partition("(")[0]
    if found is None or name not in _KINDS:
        raise types.unknown(where, "generator", name, tuple(_KINDS))
    kind = _KINDS[name]
    size = int(found["size"] or kind.size)
    if not kind.sized and size != kind.size:
        raise UsageError(where, f"{name} has one size only", hint=f"write @generate={name}")
    if not _SMALLEST <= size <= _LARGEST:
        raise UsageError(
            where,
            f"a secret of size {size}",
            hint=f"between {_SMALLEST} and {_LARGEST}; @generate={name}({kind.size}) is usual",
        )
    return Generator(name, size)


def self_made(key: str) -> bool:
    """Tell whether a key's name is that of a secret which a project makes itself.

    A password or a signing key is; an API key or a client secret comes from someone else.
    """
    return is_sensitive(key, None) and not _ISSUED.search(key.upper())


def _base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()


def _base62(size: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(size))


def _fernet(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode()


_KINDS: Mapping[str, _Kind] = {
    "hex": _Kind(32, secrets.token_hex),
    "base62": _Kind(32, _base62),
    "password": _Kind(32, _base62),
    "urlsafe": _Kind(32, secrets.token_urlsafe),
    "base64": _Kind(32, _base64),
    "fernet": _Kind(32, _fernet, sized=False),
    "laravel": _Kind(32, lambda size: f"base64:{_base64(size)}", sized=False),
    "rails": _Kind(64, secrets.token_hex, sized=False),
    "django": _Kind(50, _base62, sized=False),
    "uuid": _Kind(16, lambda _: str(uuid.uuid4()), sized=False),
}

KINDS = tuple(_KINDS)
"""The names of all generators."""

DEFAULT = Generator("hex", 32)
"""What an unmarked secret gets."""

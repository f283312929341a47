"""A key and its text to an `EnvVar`: the text goes no further when it is a secret."""

from __future__ import annotations

import re
from urllib.parse import unquote

from invoke_stack.environment import placeholders
from invoke_stack.parity.parts import EnvVar, Origin
from invoke_stack.parity.values import Address, Src, masked
from invoke_stack.redaction import MASK, is_sensitive

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40})://(?P<rest>.*)", re.DOTALL)
_HOSTPORT = re.compile(
    r"(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})"
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_HOST_KEY = re.compile(r"(?:^|_)(?:HOST|HOSTNAME|HOSTS|ADDR|ADDRESS|SERVER|BROKER|ENDPOINT)$")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off"})
_SECRET_QUERY = re.compile(r"(?i)([?&;][\w.-]*(?:password|passwd|pwd|secret|token|key)=)[^&;#\s]*")
LONGEST = 4096
"""A longer value says nothing about parity; it is cut for comparison."""


def variable(  # noqa: PLR0913 - a variable has that many sides
    key: str,
    text: str | None,
    src: Src,
    origin: Origin,
    *,
    required: bool | None = None,
    build_time: bool = False,
    variables: tuple[str, ...] = (),
    sensitive: bool | None = None,
    commented: bool = False,
) -> EnvVar:
    """Return a variable; of a secret only its mask, of a URL all but the password."""
    text = text if text is None else text[:LONGEST]
    secret = is_sensitive(key, text) if sensitive is None else sensitive
    found = address(key, text) if text else None
    mark = masked(text) if secret and text else None
    stands_in = bool(text) and _stands_in(key, text or "")
    return EnvVar(
        key, origin, src,
        value=_shown(text, found, secret=secret),
        masked=mark, sensitive=secret, placeholder=stands_in, address=found,
        shape=shape(text, found), required=required, build_time=build_time,
        variables=variables, commented=commented,
    )  # fmt: skip


def address(key: str, text: str) -> Address | None:
    """Return where a value points; None when it points nowhere."""
    plain = text.strip()
    url = _URL.fullmatch(plain)
    if url:
        return _of_url(url["scheme"].lower(), url["rest"])
    pair = _HOSTPORT.fullmatch(plain)
    if pair and (not pair["host"].isdigit()):  # `5432:5432` and `12:30` are no addresses
        return Address("", pair["host"].strip("[]").lower(), int(pair["port"]))
    if _HOST_KEY.search(key.upper()) and _HOST.fullmatch(plain) and not plain.isdigit():
        return Address("", plain.lower())
    return None


def _of_url(scheme: str, rest: str) -> Address:
    authority, slash, path = rest.partition("/")
    authority, *_ = re.split(r"[?#]", authority, maxsplit=1)
    if "@" not in authority and "@" in rest and scheme not in {"http", "https", "ws", "wss"}:
        authority, _, path = rest.rpartition("@")[2].partition("/")
        authority = rest.rpartition("@")[0] + "@" + authority
    userinfo, _, place = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    # Several hosts (`a:1,b:2`): the first one speaks for all.
    place = place.split(",", maxsplit=1)[0]
    found = re.fullmatch(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d{1,5}))?.*", place, re.DOTALL)
    host = found["host"].strip("[]").lower() if found else ""
    port = int(found["port"]) if found and found["port"] else None
    path = re.split(r"[?#]", f"/{path}" if slash else "", maxsplit=1)[0]
    mark = masked(unquote(password)) if password else None
    return Address(scheme, host, port, path, unquote(user), mark)


def shape(text: str | None, found: Address | None) -> str:
    """Return what a value looks like: url, hostport, host, bool, number, text or empty."""
    if text is None:
        return ""
    if not text.strip():
        return "empty"
    if found is not None:
        return "url" if found.scheme else "hostport" if found.port is not None else "host"
    if text.strip().casefold() in _WORDS:
        return "bool"
    return "number" if re.fullmatch(r"-?\d+(?:\.\d+)?", text.strip()) else "text"


def _shown(text: str | None, found: Address | None, *, secret: bool) -> str | None:
    if text is None:
        return None
    if not secret:
        return text
    if found is None or not found.scheme:
        return None if text else ""
    url = _URL.fullmatch(text.strip())
    rest = url["rest"] if url else ""
    head, at, tail = rest.rpartition("@")
    if at:
        user, colon, _ = head.partition(":")
        rest = f"{user}{colon}{MASK if colon else ''}@{tail}"
    return _SECRET_QUERY.sub(rf"\g<1>{MASK}", f"{found.scheme}://{rest}")


def _stands_in(key: str, text: str) -> bool:
    return bool(placeholders.reason(key, text)) or "example.com" in text.casefold()


def hidden(text: str) -> str:
    """Return a text as it may be shown: without URL passwords and secret assignments."""
    shown = re.sub(r"(://[^\s:/@]*:)[^\s@/]+@", rf"\g<1>{MASK}@", text)
    return re.sub(r"\b([A-Za-z_][A-Za-z0-9_]*)=(\S+)", _assignment, shown)


def _assignment(found: re.Match[str]) -> str:
    key, value = found[1], found[2]
    if is_sensitive(key, None) and not value.startswith("$"):
        return f"{key}={MASK}"
    return found[0]

"""How Next.js (`@next/env` 15 and 16) reads env files, told from its behaviour.

It reads lines with one pattern of JavaScript, whose ideas of white space and of a line's end
are spelled out here, and then replaces references from the last `$` backwards, in every
value, however it is quoted, and in what the process environment holds for the same key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPACE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_BREAK = "\n\r\u2028\u2029"
_S, _START, _END = f"[{SPACE}]", f"(?<![^{_BREAK}])", f"(?![^{_BREAK}])"
# Next.js lets blank lines belong to what follows; that takes it minutes on many of them.
_INDENT = "[" + "".join(set(SPACE) - set(_BREAK)) + "]"
_QUOTED = "|".join(rf"{_S}*{quote}(?:\\{quote}|[^{quote}])*{quote}" for quote in "'\"`")
_LINE = re.compile(
    rf"{_START}{_INDENT}*(?:export{_S}+)?(?P<key>[A-Za-z0-9_.-]+)(?:{_S}*={_S}*?|:{_S}+?)"
    rf"(?P<value>{_QUOTED}|[^#\r\n]+)?{_S}*(?:#[^{_BREAK}]*)?{_END}"
)
_WRAPPED = re.compile(rf"{_START}(?P<quote>['\"`])(?P<inner>(?s:.*))(?P=quote){_END}")
_REFERENCE = re.compile(r"\$\{?(?P<name>[A-Za-z0-9_]+)(?::-(?P<default>[^}\\]*))?\}?")
# Inside the replacement text of JavaScript's `replace`.
_PATTERN = re.compile(r"\$([$&`'])")
# Every object of JavaScript has these; a reference to one ends in an error or in nonsense.
_INHERITED = re.compile(
    r"__(?:define|lookup)[GS]etter__|__proto__|constructor|hasOwnProperty|isPrototypeOf"
    r"|propertyIsEnumerable|toLocaleString|toString|valueOf"
)
# Next.js replaces by recursion and gives the file up when the stack is full.
_STEPS, _WORK, _LARGEST = 5_000, 20_000_000, 1 << 20
# In all values of a file together. Next.js would come to an end after minutes.
_PATIENCE = 50_000
_MENDED, _MOST = 20, 50_000_000


class LostError(ValueError):
    """Next.js gives up the whole file, after so much work, at the value of ``key``."""

    def __init__(self, key: str, work: int = 0) -> None:
        super().__init__(key)
        self.key = key
        self.work = work


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run of Next.js makes of its env files.

    Attributes:
        values: the process environment afterwards, for the keys that a file names.
        lost: the key at which a file was given up, by the position of the file.
    """

    values: Mapping[str, str]
    lost: Mapping[int, str]


def parse(text: str) -> dict[str, tuple[str, int]]:
    """Return the raw values of one file with the line each key stands on."""
    text = re.sub(r"\r\n?", "\n", text)
    found: dict[str, tuple[str, int]] = {}
    line = position = 0
    for match in _LINE.finditer(text):
        start = match.start("key")
        line, position = line + text.count("\n", position, start), start
        if match["key"] != "__proto__":
            found[match["key"]] = (_unquoted(match["value"] or ""), line + 1)
    return found


def read(texts: Sequence[str], environ: Mapping[str, str]) -> Reading:
    """Read files, highest rank first, as the Node process with this environment does."""
    live, chosen = dict(environ), dict[str, str]()
    keys, lost = dict[str, None](), dict[int, str]()
    for position, text in enumerate(texts):
        raw = {key: value for key, (value, _) in parse(text).items()}
        keys |= dict.fromkeys(raw)
        try:
            expanded = _expanded(raw, live)
        except LostError as gone:
            lost[position] = gone.key
            continue
        live |= expanded
        for key, value in expanded.items():
            if key not in environ:
                chosen.setdefault(key, value)
    live |= chosen
    return Reading({key: live[key] for key in keys if key in live}, lost)


def forgiving(text: str, environ: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read one file as if the values at which Next.js gives it up were empty.

    Returns:
        The values, and the keys of those at which it gives up; without values when there are
        more of these than anybody mends one by one.
    """
    raw = {key: value for key, (value, _) in parse(text).items()}
    lost: list[str] = []
    work = 0
    while len(lost) < _MENDED and work < _MOST:
        try:
            return _expanded(raw, environ), tuple(lost)
        except LostError as gone:
            lost.append(gone.key)
            work += gone.work
            raw[gone.key] = ""
            environ = {key: value for key, value in environ.items() if key != gone.key}
    return {}, tuple(lost)


def _unquoted(written: str) -> str:
    value = written.strip(SPACE)
    double = value.startswith('"')
    value = _WRAPPED.sub(lambda match: match["inner"], value)
    return value.replace(r"\n", "\n").replace(r"\r", "\r") if double else value


def _expanded(raw: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    done, patience = dict(raw), _PATIENCE
    for key in sorted(raw, key=_rank):
        value, steps = _interpolated(key, environ.get(key, done[key]), environ, done)
        patience -= steps
        if patience < 0:
            raise LostError(key, _MOST)
        done[key] = value.replace(r"\$", "$")
    return done


def _rank(key: str) -> tuple[int, int]:
    """Order keys as JavaScript does: whole numbers first, by size, the others as they stand."""
    whole = key.isdecimal() and (key == "0" or key[0] != "0") and int(key) < 2**32 - 1
    return (0, int(key)) if whole else (1, 0)


def _interpolated(
    key: str, text: str, environ: Mapping[str, str], values: Mapping[str, str]
) -> tuple[str, int]:
    """Return a value with its references replaced, and in how many steps."""
    work = 0
    for step in range(_STEPS):
        found = _REFERENCE.match(text, start) if (start := _last_dollar(text)) >= 0 else None
        if found is None:
            return text, step
        name = found["name"]
        work += len(text)
        if _INHERITED.fullmatch(name) or work > _WORK or len(text) > _LARGEST:
            break
        value = environ.get(name) or found["default"] or values.get(name) or ""
        text = _replaced(text, found[0], value)
    raise LostError(key, work)


def _last_dollar(text: str) -> int:
    """Return where the last `$` without a backslash before it stands."""
    position = text.rfind("$")
    while position > 0 and text[position - 1] == "\\":
        position = text.rfind("$", 0, position)
    return position


def _replaced(text: str, part: str, value: str) -> str:
    """Replace the first occurrence, which may stand before the one that was found."""
    before, _, after = text.partition(part)
    stands = {"$": "$", "&": part, "`": before, "'": after}
    return before + _PATTERN.sub(lambda found: stands[found[1]], value) + after

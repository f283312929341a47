"""SQL text as statements, with everything blanked that is no statement: comments, strings, bodies.

Only PostgreSQL's rules are known: nested comments, backslashes in E'…' alone, dollar quotes.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = r"A-Za-z0-9_\x80-\uffff"
_TOKEN = re.compile(
    rf"""(?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?<![{_WORD}$])[eE](?P<escaped>'(?:\\.|''|[^'\\])*')
    | (?P<string>'(?:''|[^'])*')
    | (?P<name>"(?:""|[^"])*")
    | (?<![{_WORD}$])(?P<tag>\$(?:[A-Za-z_\x80-\uffff][{_WORD}]*)?\$)
    | ;""",
    re.VERBOSE | re.DOTALL,
)
_NESTED = re.compile(r"/\*|\*/")
_BLOCK = re.compile(r"\s*DO\b", re.IGNORECASE)
_OPENS = re.compile(r".*\b(?:BEGIN|THEN|ELSE|LOOP)\b\s*", re.IGNORECASE | re.DOTALL)
_INNER = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        text: as it is written, without the semicolon.
        code: of the same length; comments are blanks, strings and what stands in quotes are not.
        line: where it begins, from 1.
    """

    text: str
    code: str
    line: int


def split(text: str, first: int = 1, *, body: bool = False) -> Iterator[Statement]:
    """Yield the statements of a text, those inside a DO block too.

    Args:
        text: the SQL.
        first: the number of its first line.
        body: it is a block, where a statement follows `BEGIN` or `IF … THEN`.
    """
    code, bodies, ends = _scan(text)
    start = 0
    for end in [*ends, len(text)]:
        piece = code[start:end]
        if piece.strip():
            at = start + len(piece) - len(piece.lstrip())
            if body and (opened := _OPENS.match(piece)):
                at = start + opened.end()
            yield Statement(text[at:end].strip(), code[at:end].rstrip(), _line(text, at, first))
            if _BLOCK.match(piece):
                for begin, stop in bodies:
                    if start <= begin < end:
                        yield from split(text[begin:stop], _line(text, begin, first), body=True)
        start = end + 1


def _scan(text: str) -> tuple[str, list[tuple[int, int]], list[int]]:
    """Return the code, where dollar-quoted bodies lie in it, and where statements end."""
    parts: list[str] = []
    bodies: list[tuple[int, int]] = []
    ends: list[int] = []
    place = 0
    while found := _TOKEN.search(text, place):
        parts.append(text[place : found.start()])
        place = found.end()
        if found["block"]:
            place = _comment_end(text, place)
        elif found["tag"]:
            stop = text.find(found["tag"], place)
            bodies.append((place, stop if stop >= 0 else len(text)))
            place = stop + len(found["tag"]) if stop >= 0 else len(text)
        elif not found.lastgroup:
            ends.append(found.start())
        parts.append(_blanked(found, text[found.start() : place]))
    return "".join([*parts, text[place:]]), bodies, ends


def _blanked(found: re.Match[str], words: str) -> str:
    if not found.lastgroup:
        return words
    if found["name"]:  # a name stays a word, whatever it holds
        return '"' + _INNER.sub("x", words[1:-1]) + '"'
    if found["line"] or found["block"]:
        return _INNER.sub(" ", words)
    return "'" + _INNER.sub(" ", words[1:-1]) + "'"


def _comment_end(text: str, place: int) -> int:
    depth = 1
    while found := _NESTED.search(text, place):
        place = found.end()
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return place
    return len(text)


def _line(text: str, place: int, first: int) -> int:
    return first + text.count("\n", 0, place)


def parts(code: str) -> Iterator[tuple[int, int]]:
    """Yield where the parts between commas begin and end, commas in parentheses left alone."""
    depth = start = 0
    for place, sign in enumerate(code):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            yield start, place
            start = place + 1
    yield start, len(code)


def rest(code: str, place: int) -> str:
    """Return what follows a place in the same parentheses, without what stands in deeper ones."""
    depth, found = 0, []
    for sign in code[place:]:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if depth == 0:
            found.append(sign)
    return "".join(found)

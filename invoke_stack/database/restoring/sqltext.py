"""SQL text as psql reads it, in pieces: statements, rows of a COPY, psql's own commands.

Nothing is understood here but where a piece ends: strings, names, comments and dollar quotes
may hold anything, rows of a COPY too. Pieces of any size are passed on without being kept.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Literal

CHUNK = 1024 * 1024
LONGEST = 64 * 1024
"""A longer statement comes in several pieces, in bytes."""

Kind = Literal["statement", "rest", "rows", "command"]

_NAME = rb"A-Za-z0-9_\x80-\xff"
_PLAIN = re.compile(
    rb"--|/\*|[eE]?'|\"|\$(?:[A-Za-z_\x80-\xff][" + _NAME + rb"]*)?\$|;|\\", re.DOTALL
)
_ESCAPED = re.compile(rb"\\.|''|'", re.DOTALL)
_COMMENT = re.compile(rb"/\*|\*/")
_COPY = re.compile(rb"(?is)\s*COPY\s.*\sFROM\s+stdin\b[^;]*;\s*\Z")
_OLD_STRINGS = re.compile(rb"(?i)SET\s+standard_conforming_strings\s*=\s*'?off")
_CONTINUES = re.compile(rb"[" + _NAME + rb"$]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text; ``line`` counts from 1 and is the line where it begins."""

    kind: Kind
    text: bytes
    line: int


class Broken(ValueError):  # noqa: N818 - says what the text is
    """The text ends inside something, or holds what no dump has."""


class Splitter:
    """Reads a stream and yields its pieces in order; together they are the whole text."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._buffer = b""
        self._end = b""  # what closes the string, name, quote or comment that we are in
        self._depth = 0
        self._escapes = False  # every plain string has backslashes, as dumps of old had
        self._line = 1
        self._text, self._began = b"", 1  # what was read of a statement and not passed on
        self._content = self._opened = False  # it has more than comments; a part was passed on
        self._slash = 0

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces.

        Raises:
            Broken: the text ends in the middle, or has a psql command inside a statement.
        """
        for line in self._lines():
            yield from self._line_of(line)
            self._line += 1
        if self._end or self._text.strip() or self._opened:
            raise Broken(f"line {self._line}: it ends in the middle of a statement")
        yield from self._flush()

    def _line_of(self, line: bytes) -> Iterator[Piece]:
        start = 0
        if not self._text:
            self._began = self._line
        for stop in self._ends(line):
            if stop is None:
                if self._opened or self._content or line[start : self._slash].strip():
                    raise Broken(f"line {self._line}: a backslash where no dump has one")
                yield from self._flush()
                yield Piece("command", line[start:], self._line)
                return
            self._text += line[start:stop]
            rows = not self._opened and _COPY.match(self._text) is not None
            self._escapes = self._escapes or _OLD_STRINGS.search(self._text) is not None
            self._opened = yield from self._flush()
            self._opened = self._content = False
            start = stop
            if rows:
                yield Piece("rest", line[stop:], self._line)
                yield from self._rows()
                return
        rest = line[start:]
        self._text += rest
        blank = not rest.strip() or (not self._end and rest.lstrip().startswith(b"--"))
        self._content = self._content or not blank
        if not self._content and not self._opened:
            yield from self._flush()
        elif len(self._text) > LONGEST:
            self._opened = yield from self._flush()

    def _flush(self) -> Generator[Piece, None, bool]:
        """Yield what was kept; return that a statement has begun."""
        if self._text:
            yield Piece("rest" if self._opened else "statement", self._text, self._began)
            self._text, self._began = b"", self._line
        return True

    def _lines(self) -> Iterator[bytes]:
        while True:
            stop = self._buffer.find(b"\n") + 1
            while not stop:
                more = self._stream.read(CHUNK)
                if not more:
                    if self._buffer:
                        line, self._buffer = self._buffer, b""
                        yield line
                    return
                before = len(self._buffer)
                self._buffer += more
                stop = self._buffer.find(b"\n", before) + 1
            line, self._buffer = self._buffer[:stop], self._buffer[stop:]
            yield line

    def _rows(self) -> Iterator[Piece]:
        r"""Yield the rows of a COPY, the line `\.` included, without looking into them."""
        while True:
            stop = _end_of_rows(self._buffer)
            cut = stop or self._buffer.rfind(b"\n") + 1
            if cut:
                rows, self._buffer = self._buffer[:cut], self._buffer[cut:]
                yield Piece("rows", rows, self._line)
                self._line += rows.count(b"\n")
            if stop:
                return
            more = self._stream.read(CHUNK)
            if not more:
                raise Broken(f"line {self._line}: it ends in the middle of a table's rows")
            self._buffer += more

    def _ends(self, line: bytes) -> Iterator[int | None]:
        """Yield where statements end in a line; None at a backslash, whose place is kept."""
        place = 0
        while place < len(line):
            if self._end:
                place = self._closed(line, place)
                continue
            found = _PLAIN.search(line, place)
            if found is None:
                return
            place, word = found.end(), found[0]
            if word == b";":
                yield place
            elif word == b"\\":
                self._slash = found.start()
                yield None
                return
            elif word == b"--":
                return
            else:
                place = self._inside(line, found)

    def _inside(self, line: bytes, found: re.Match[bytes]) -> int:
        word, before = found[0], line[found.start() - 1 : found.start()] if found.start() else b""
        if word[:1] == b"$" and _CONTINUES.match(before):
            return found.start() + 1  # a dollar sign inside a name
        self._end = word
        if word == b"/*":
            self._depth = 1
        elif word[:1] in b"eE":
            self._end = b"'" if _CONTINUES.match(before) else b"\\'"
        if self._end == b"'" and self._escapes:
            self._end = b"\\'"
        return found.end()

    def _closed(self, line: bytes, place: int) -> int:
        """Return where it goes on after what we are in; the line's end when it stays open."""
        if self._end == b"/*":
            for found in _COMMENT.finditer(line, place):
                self._depth += 1 if found[0] == b"/*" else -1
                if not self._depth:
                    self._end = b""
                    return found.end()
            return len(line)
        if self._end == b"\\'":
            for found in _ESCAPED.finditer(line, place):
                if found[0] == b"'":
                    self._end = b""
                    return found.end()
            return len(line)
        stop = line.find(self._end, place)
        if stop < 0:
            return len(line)
        stop += len(self._end)
        self._end = b""
        return stop


def _end_of_rows(buffer: bytes) -> int:
    for end in (b"\\.\n", b"\\.\r\n"):
        if buffer.startswith(end):
            return len(end)
    found = [
        (place, len(end)) for end in (b"\n\\.\n", b"\n\\.\r\n") if (place := buffer.find(end)) >= 0
    ]
    return sum(min(found)) if found else 0

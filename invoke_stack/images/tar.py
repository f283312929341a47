"""A reader of tar streams that keeps nothing: each file's content passes by once.

Python's own `tarfile` spends most of its time on objects that nobody asks for here; an image
has tens of thousands of files, and the reader must keep up with the engine that sends it.
Format: POSIX.1-2017 `pax`, and GNU tar's long names and large sizes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from invoke_stack.errors import StackError

BLOCK = 512
PIECE = 1 << 20
"""Largest part of a file's content that is handed on at once, in bytes."""

_LONGEST_HEADER = 1 << 20
_LARGE = 0x80  # first byte of a number in base 256


class Stream:
    """Bytes that arrive in chunks and are read in order."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = memoryview(b"")
        self._at = 0

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield the next ``count`` bytes in parts, without copying them.

        Raises:
            EOFError: the stream ends before.
        """
        while count:
            if self._at == len(self._chunk):
                self._chunk, self._at = memoryview(self._next()), 0
                continue
            part = self._chunk[self._at : self._at + min(count, PIECE)]
            self._at += len(part)
            count -= len(part)
            yield part

    def read(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        end = self._at + count
        if end <= len(self._chunk):
            part = bytes(self._chunk[self._at : end])
            self._at = end
            return part
        return b"".join(self.pieces(count))

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        end = self._at + count
        if end <= len(self._chunk):
            self._at = end
            return
        for _ in self.pieces(count):
            pass

    def _next(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise EOFError


@dataclass(slots=True)
class Member:
    """One entry of an archive.

    Attributes:
        kind: tar's own letter: `0` a file, `1` a hard link, `2` a symbolic link, `5` a folder.
        link: where a link points.
    """

    name: str
    kind: str
    size: int
    mode: int
    link: str


class Reader:
    """The members of a tar stream, in order.

    The content of a member is read with `content` before the next member is asked for; what is
    not read is passed over.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        long: dict[str, str] = {}
        while (header := self._header()) is not None:
            member = _member(header)
            if member.kind in "xgLK":
                self._extended(member, long)
                continue
            if member.kind == "S":
                self._sparse(header)
            member.name = long.get("path", member.name)
            member.link = long.get("linkpath", member.link)
            member.size = int(long.get("size", member.size))
            long = {}
            self._expect(member.size if member.kind in "0\x007S" else 0)
            yield member

    def content(self) -> Iterator[memoryview]:
        """Yield what is left of the current member's content, in parts."""
        while self._left:
            for part in self._stream.pieces(min(self._left, PIECE)):
                self._left -= len(part)
                yield part

    def _expect(self, size: int) -> None:
        self._left, self._padding = size, -size % BLOCK

    def _header(self) -> bytes | None:
        self._stream.skip(self._left + self._padding)
        self._expect(0)
        header = self._stream.read(BLOCK)
        return header if header.strip(b"\0") else None

    def _extended(self, member: Member, long: dict[str, str]) -> None:
        if member.size > _LONGEST_HEADER:
            raise StackError("image archive", "has a name of more than a megabyte")
        data = self._stream.read(member.size)
        self._stream.skip(-member.size % BLOCK)
        if member.kind == "x":
            long.update(_records(data))
        elif member.kind in "LK":
            key = "path" if member.kind == "L" else "linkpath"
            long[key] = _text(data.rstrip(b"\0"))

    def _sparse(self, header: bytes) -> None:
        more = header[482]
        while more:
            more = self._stream.read(BLOCK)[504]


def unpacked(stream: Stream, size: int) -> Iterator[bytes]:
    """Yield a gzip-compressed blob of ``size`` bytes, decompressed."""
    for_gzip = 16 + zlib.MAX_WBITS
    inflate = zlib.decompressobj(for_gzip)
    for part in stream.pieces(size):
        waiting = bytes(part)
        while waiting:
            yield inflate.decompress(waiting, PIECE)
            waiting = inflate.unconsumed_tail
            if inflate.eof:
                waiting, inflate = inflate.unused_data, zlib.decompressobj(for_gzip)
    yield inflate.flush()


def _member(header: bytes) -> Member:
    name = header[:100].partition(b"\0")[0]
    if header[257:262] == b"ustar" and header[263:265] == b"00":
        prefix = header[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return Member(
        name=_text(name),
        kind=chr(header[156]),
        size=_number(header[124:136]),
        mode=_number(header[100:108]),
        link=_text(header[157:257].partition(b"\0")[0]),
    )


def _number(field: bytes) -> int:
    if field[0] & _LARGE:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits, 8) if digits else 0


def _records(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the `key=value` records of a pax header."""
    while data:
        length, _, rest = data.partition(b" ")
        size = int(length)
        key, _, value = rest[: size - len(length) - 2].partition(b"=")
        yield _text(key), _text(value)
        data = data[size:]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")

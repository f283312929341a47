"""An image as `docker save` streams it: every file of every layer, looked at once as it passes.

Nothing is written to disk and no layer is kept in memory. Layers do not come in their order,
and whether a blob is one is only seen from its first bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from invoke_stack.compose.tolerant import mapping
from invoke_stack.errors import StackError
from invoke_stack.images.tar import BLOCK, Member, Reader, Stream, unpacked
from invoke_stack.images.zstd import Unpack

_SMALL = 8 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

Look = Callable[[str, Member, Iterator[memoryview]], None]
"""Told of each entry of a layer: the layer's blob, the entry, its content."""


@dataclass(slots=True)
class Archive:
    """What the stream said besides its files.

    Attributes:
        config: the image's own configuration and history.
        layers: the blobs of the layers, in the order in which they were made.
        unread: blobs in a compression that cannot be read here.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def walk(chunks: Iterable[bytes], look: Look, unzstd: Unpack | None = None) -> Archive:
    """Read an image's stream to its end.

    Args:
        chunks: what `docker save` writes.
        look: told of each entry of each layer.
        unzstd: unpacks layers that are compressed with zstd; without it they stay unread.

    Raises:
        StackError: the stream ends early or is no image.
    """
    documents: dict[str, Any] = {}
    unread: list[str] = []
    outer = Reader(Stream(chunks))
    try:
        for member in outer:
            if member.kind in "0\x00" and member.size:
                _blob(member, outer, documents, unread, look, unzstd)
    except (EOFError, ValueError, zlib.error) as problem:
        raise StackError(
            "image archive", "ended early or cannot be read", hint="docker save tells more"
        ) from problem
    return _archive(documents, tuple(unread))


def _blob(  # noqa: PLR0913 - a part of the stream, and what becomes of it
    member: Member,
    outer: Reader,
    documents: dict[str, Any],
    unread: list[str],
    look: Look,
    unzstd: Unpack | None,
) -> None:
    content = outer.content()
    head = bytes(next(content))
    if head[:1] in {b"{", b"["} and member.size <= _SMALL:
        raw = head + b"".join(bytes(part) for part in content)
        documents[member.name] = _document(raw)
    elif head[:4] == _ZSTD and unzstd is None:
        unread.append(member.name)
    elif head[:4] == _ZSTD and unzstd is not None:
        plain = unzstd(_joined(head, content))
        _layer(member.name, Stream(plain), look)
        for _ in plain:  # a tar may end before its file does, and the rest has to pass by
            pass
    elif head[:2] == _GZIP:
        packed = Stream(_joined(head, content))
        _layer(member.name, Stream(unpacked(packed, member.size)), look)
    elif member.name.endswith("layer.tar") or _is_tar(head):
        _layer(member.name, Stream(_joined(head, content)), look)


def _is_tar(head: bytes) -> bool:
    # An empty layer is two blocks of nothing.
    return head[257:262] == b"ustar" or (len(head) >= BLOCK and not head[:BLOCK].strip(b"\0"))


def _joined(head: bytes, rest: Iterator[memoryview]) -> Iterator[bytes]:
    yield head
    yield from rest  # type: ignore[misc]


def _layer(name: str, stream: Stream, look: Look) -> None:
    reader = Reader(stream)
    for member in reader:
        look(name, member, reader.content())


def _document(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _archive(documents: Mapping[str, Any], unread: tuple[str, ...]) -> Archive:
    manifest = documents.get("manifest.json")
    first = mapping(manifest[0]) if isinstance(manifest, list) and manifest else {}
    if not first:
        raise StackError(
            "image archive", "has no manifest.json", hint="the engine's `docker save` is too old"
        )
    return Archive(
        config=mapping(documents.get(str(first.get("Config")))),
        layers=tuple(str(each) for each in first.get("Layers") or ()),
        unread=unread,
    )

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator

import pytest

from invoke_stack.errors import StackError
from invoke_stack.images import archive
from invoke_stack.images.archive import Archive
from invoke_stack.images.tar import Member
from invoke_stack.images.zstd import Unpack


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as found:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            found.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def saved(layers: dict[str, bytes], order: list[str]) -> bytes:
    """Return what `docker save` writes: the manifest comes after the blobs."""
    config = json.dumps({"rootfs": {"type": "layers"}, "history": []}).encode()
    manifest = json.dumps([{"Config": "blobs/sha256/c", "Layers": order}]).encode()
    return packed({**layers, "blobs/sha256/c": config, "manifest.json": manifest})


def read(data: bytes, unzstd: Unpack | None = None) -> tuple[Archive, dict[str, dict[str, bytes]]]:
    seen: dict[str, dict[str, bytes]] = {}

    def look(blob: str, member: Member, content: Iterator[memoryview]) -> None:
        seen.setdefault(blob, {})[member.name] = b"".join(bytes(part) for part in content)

    return archive.walk(iter([data]), look, unzstd), seen


MAGIC = b"\x28\xb5\x2f\xfd"
FIRST = packed({"etc/passwd": b"root", "app/a": b"1" * 2000})
SECOND = packed({"app/b": b"2"})


def test_layers_are_told_in_their_order_though_they_arrive_in_another() -> None:
    layers = {"blobs/sha256/2": SECOND, "blobs/sha256/1": FIRST}

    found, seen = read(saved(layers, ["blobs/sha256/1", "blobs/sha256/2"]))

    assert found.layers == ("blobs/sha256/1", "blobs/sha256/2")
    assert found.config["history"] == []
    assert seen["blobs/sha256/1"]["etc/passwd"] == b"root"
    assert seen["blobs/sha256/2"] == {"app/b": b"2"}


def test_compressed_layers_are_read_and_others_are_told() -> None:
    layers = {"blobs/sha256/1": gzip.compress(FIRST), "blobs/sha256/2": MAGIC * 9}

    found, seen = read(saved(layers, list(layers)))

    assert seen["blobs/sha256/1"]["app/a"] == b"1" * 2000
    assert found.unread == ("blobs/sha256/2",)


def test_layers_in_zstd_are_read_where_something_unpacks_them() -> None:
    layers = {"blobs/sha256/1": MAGIC + FIRST + b"after the end", "blobs/sha256/2": SECOND}

    def unpack(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        data = b"".join(map(bytes, parts))
        yield from (data[4 + at : 4 + at + 700] for at in range(0, len(data), 700))

    found, seen = read(saved(layers, list(layers)), unpack)

    assert seen["blobs/sha256/1"]["app/a"] == b"1" * 2000
    assert seen["blobs/sha256/2"] == {"app/b": b"2"}
    assert found.unread == ()


@pytest.mark.parametrize("at", [12, 60])
def test_a_damaged_layer_is_an_error_and_no_bug(at: int) -> None:
    packed_ = bytearray(gzip.compress(FIRST))
    packed_[at] ^= 0xFF

    with pytest.raises(StackError, match="cannot be read"):
        read(saved({"blobs/sha256/1": bytes(packed_)}, ["blobs/sha256/1"]))


def test_the_layout_of_old_engines_is_read() -> None:
    found, seen = read(saved({"abc/layer.tar": FIRST}, ["abc/layer.tar"]))

    assert found.layers == ("abc/layer.tar",)
    assert "etc/passwd" in seen["abc/layer.tar"]


def test_an_empty_layer_is_a_layer() -> None:
    _, seen = read(saved({"blobs/sha256/e": packed({})}, ["blobs/sha256/e"]))

    assert seen == {}


@pytest.mark.parametrize("keep", [700, 3000])
def test_a_stream_that_breaks_off_is_an_error(keep: int) -> None:
    with pytest.raises(StackError, match="ended early"):
        read(saved({"blobs/sha256/1": FIRST}, ["blobs/sha256/1"])[:keep])


def test_what_has_no_manifest_is_no_image() -> None:
    with pytest.raises(StackError, match="no manifest"):
        read(packed({"a": b"b"}))

"""The tar reader against Python's own `tarfile`."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoke_stack.images.tar import Reader, Stream, unpacked

FORMATS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=200)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000), max_size=6
)


def packed(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o640
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def chunked(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [each.name for each in archive]


@given(files=FILES, size=st.integers(1, 5000), form=st.sampled_from(FORMATS))
def test_names_and_contents_are_those_of_tarfile(
    files: dict[str, bytes], size: int, form: int
) -> None:
    data = packed(files, form)
    reader = Reader(Stream(chunked(data, size)))

    found = [(each.name, b"".join(bytes(part) for part in reader.content())) for each in reader]

    assert [name for name, _ in found] == names(data)
    assert [content for _, content in found] == list(files.values())


def test_content_that_nobody_reads_is_passed_over() -> None:
    reader = Reader(Stream(chunked(packed({"a": b"x" * 3000, "b": b"y"}), 700)))

    assert [(each.name, each.size, each.mode) for each in reader] == [
        ("a", 3000, 0o640),
        ("b", 1, 0o640),
    ]


@pytest.mark.parametrize("form", [*FORMATS, tarfile.USTAR_FORMAT])
def test_links_are_read_in_every_format(form: int) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for kind, name, target in (
            (tarfile.SYMTYPE, "d/" * 20 + "soft", "t" * 90),
            (tarfile.LNKTYPE, "d/" * 60 + "hard", "u" * 95),
            (tarfile.DIRTYPE, "folder", ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)

    found = [(each.kind, each.name, each.link) for each in Reader(Stream([stream.getvalue()]))]

    assert found == [
        ("2", "d/" * 20 + "soft", "t" * 90),
        ("1", "d/" * 60 + "hard", "u" * 95),
        ("5", "folder" + found[2][1][6:], ""),
    ]


def test_a_stream_that_ends_early_is_no_archive() -> None:
    data = packed({"a": b"x" * 3000})

    with pytest.raises(EOFError):
        list(Reader(Stream([data[:1500]])))


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_a_compressed_layer_is_unpacked_as_it_passes(size: int) -> None:
    data = packed({"a": b"x" * 300_000})
    squeezed = gzip.compress(data[:1000]) + gzip.compress(data[1000:])
    parts = unpacked(Stream(chunked(squeezed, size)), len(squeezed))

    assert b"".join(parts) == data


def test_a_huge_name_is_refused_and_not_read() -> None:
    from invoke_stack.errors import StackError

    header = bytearray(packed({"a": b""})[:512])
    header[156:157] = b"L"
    header[124:136] = b"77777777777\0"

    with pytest.raises(StackError, match="more than a megabyte"):
        list(Reader(Stream([bytes(header) + b"\0" * 1024])))

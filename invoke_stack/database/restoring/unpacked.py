"""A file as the bytes that were put into it: plain, gzip or zstd, told by its first bytes."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from invoke_stack.children import Running
from invoke_stack.database.restoring.sqltext import Broken
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError
from invoke_stack.process import Command
from invoke_stack.project import Project

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 4096


@contextlib.contextmanager
def stream(project: Project, target: Target, file: Path) -> Iterator[IO[bytes]]:
    """Open a file and unpack it while it is read.

    Raises:
        Broken: what is read is damaged; raised while reading, or at the end.
        StackError: nothing here unpacks it.
    """
    with file.open("rb") as raw:
        magic = raw.read(len(ZSTD))
        raw.seek(0)
        if magic.startswith(GZIP):
            with gzip.open(raw) as packed:
                yield cast("IO[bytes]", _Told(packed.read))
        elif magic == ZSTD:
            with _zstd(project, target, file, raw) as unpacked:
                yield unpacked
        else:
            yield raw


def head(project: Project, target: Target, file: Path) -> bytes:
    """Return the first bytes of the content; what cannot be unpacked begins with nothing."""
    try:
        with stream(project, target, file) as found:
            return found.read(HEAD_BYTES)
    except Broken:
        return b""


class _Told:
    """A reader that says what is damaged in one way, whatever unpacks."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes."""
        try:
            return self._read(size)
        except (EOFError, OSError, zlib.error, ValueError) as problem:
            raise Broken(f"cannot be unpacked: {problem}") from problem


@contextlib.contextmanager
def _zstd(project: Project, target: Target, file: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Unpack with Python's own module (3.14), else with the program here or in the container."""
    with contextlib.suppress(ImportError):
        module = importlib.import_module("compression.zstd")
        with module.open(raw) as packed:
            yield cast("IO[bytes]", _Told(packed.read))
        return
    program = ("zstd", "--decompress", "--stdout", "--quiet")
    here = shutil.which("zstd", path=project.environ.get("PATH"))
    command = Command(program, effect="read") if here else target.inside(program, fed=True)
    with project.runner.start(command, binary=True, stdin=file) as running:
        found = io.BufferedReader(cast("io.RawIOBase", running.stdout))
        yield cast("IO[bytes]", _Whole(found, running))


class _Whole:
    """The output of a program; its end is the end only if the program says so."""

    def __init__(self, found: IO[bytes], running: Running) -> None:
        self._found = found
        self._running = running

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes."""
        data = self._found.read(size)
        if not data and (code := self._running.wait()):
            words = self._running.tail[-1:] or (f"zstd ended with code {code}",)
            if any("not found" in word for word in words):
                hint = "install zstd, or unpack the file yourself"
                raise StackError("zstd", "neither here nor in the container", hint=hint)
            raise Broken(f"cannot be unpacked: {words[0]}")
        return data

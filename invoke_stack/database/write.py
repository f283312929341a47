"""The write path: a backup appears under its name whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from invoke_stack import files, rights
from invoke_stack.database import names
from invoke_stack.database.provider import HEAD_BYTES, TAIL_BYTES
from invoke_stack.errors import BusyError, StackError

CHUNK = 256 * 1024
REPORT_EVERY_S = 0.2
# What lies beside a backup is written in milliseconds; an old hidden file of it lost its writer.
_STALE_S = 60.0
_BESIDE = re.compile(r"\.(?:json|globals\.sql)\.[0-9a-f]+\.partial$")


@dataclass(frozen=True, slots=True)
class Written:
    """What went into a file.

    Attributes:
        first: the first bytes.
        last: the last bytes.
    """

    size: int
    sha256: str
    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class Partial:
    """A backup that is being written, under a hidden name, locked by us."""

    path: Path
    final: Path
    descriptor: int

    def sync(self) -> None:
        """Have the bytes on the disk before anything depends on them."""
        os.fsync(self.descriptor)

    def publish(self, commit: Callable[[], None]) -> None:
        """Give the file its name, then commit; it loses the name when that fails.

        Raises:
            StackError: the name was taken meanwhile; nothing is overwritten, no link followed.
        """
        self._link()
        try:
            commit()
        except BaseException:
            self.final.unlink(missing_ok=True)
            raise

    def _link(self) -> None:
        try:
            os.link(self.path, self.final)
        except FileExistsError:
            raise StackError(str(self.final), "was made by someone else meanwhile") from None
        except OSError:  # a file system without hard links
            if os.path.lexists(self.final):
                raise StackError(str(self.final), "was made by someone else meanwhile") from None
            self.path.rename(self.final)


@contextlib.contextmanager
def partial(final: Path) -> Iterator[Partial]:
    """Create the hidden file; on leaving the block it is gone, published or not.

    It is locked for as long as we live, which is how `stale` tells it from a dead run's.
    """
    path = names.partial_of(final)
    descriptor = files.create_private(path)
    try:
        if not files.try_lock(descriptor):
            raise BusyError(str(path), "another run took it")
        yield Partial(path, final, descriptor)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def stale(folder: Path) -> tuple[Path, ...]:
    """Return the unfinished files of runs that have died, sorted."""
    if not folder.is_dir():
        return ()
    found = []
    for path in folder.glob(f".*{names.PARTIAL}"):
        if path.name.endswith(tuple(f"{each}{names.PARTIAL}" for each in names.SUFFIXES)):
            found += [path] if _abandoned(path) else []
        elif _BESIDE.search(path.name) and time.time() - path.lstat().st_mtime > _STALE_S:
            found.append(path)
    return tuple(sorted(found))


def _abandoned(path: Path) -> bool:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:  # a link, or not ours to open: nothing that we wrote
        return False
    try:
        return files.try_lock(descriptor)
    finally:
        os.close(descriptor)


def free_name(name: Callable[[int], Path]) -> Path:
    """Return the first of ``name(1)``, ``name(2)``, … that nothing has.

    Raises:
        StackError: a link lies under one of them: somebody wants us to write elsewhere.
    """
    again = 1
    while True:
        path = name(again)
        for each in (path, names.manifest_of(path), names.partial_of(path)):
            if each.is_symlink():
                hint = "remove the link, then run the task again"
                raise StackError(str(each), "is a symbolic link; nothing was written", hint=hint)
        if not any(os.path.lexists(each) for each in (path, names.manifest_of(path))):
            return path
        again += 1


def copy(
    source: IO[bytes],
    sink: Partial,
    take: Callable[[memoryview], None],
    progress: Callable[[bytes, int], None],
) -> Written:
    """Write what the source gives until its end, hashing on the way.

    Args:
        source: an unbuffered or buffered binary stream.
        sink: where it goes.
        take: gets every piece that was written, too; it is gone after the call.
        progress: called now and then with the first bytes and the number of bytes so far; an
            error that it raises ends the copy.

    Raises:
        StackError: the file system refused; says what it needed.
    """
    digest, count, first, last = hashlib.sha256(), 0, b"", b""
    buffer = memoryview(bytearray(CHUNK))
    reported = 0.0
    while size := source.readinto1(buffer):  # type: ignore[attr-defined]
        part = buffer[:size]
        digest.update(part)
        _put(sink, part, count)
        take(part)
        count += size
        if len(first) < HEAD_BYTES:
            first += bytes(part[: HEAD_BYTES - len(first)])
        last = (last + bytes(part[-TAIL_BYTES:]))[-TAIL_BYTES:]
        if time.monotonic() - reported >= REPORT_EVERY_S and len(first) == HEAD_BYTES:
            progress(first, count)
            _write_back(sink.descriptor)
            reported = time.monotonic()
    return Written(count, digest.hexdigest(), first, last)


def _write_back(descriptor: int) -> None:
    """Have the disk begin, so that the sync at the end finds little left to wait for."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # only advice: a file system may not take any
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _put(sink: Partial, part: memoryview, before: int) -> None:
    try:
        while part:
            part = part[os.write(sink.descriptor, part) :]
    except OSError as problem:
        folder = sink.path.parent
        if problem.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise rights.error(sink.path, "cannot be written", problem) from problem
        raise StackError(
            str(folder),
            f"the disk is full after {before:,} bytes; the unfinished backup was removed",
            hint="make room, or write elsewhere with: inv db.backup --to DIR",
        ) from problem


def require_space(folder: Path, expected: int) -> None:
    """Refuse to begin where the last backup would not fit again.

    Raises:
        StackError: with the bytes needed and free.
    """
    free = shutil.disk_usage(folder).free
    if expected > free:
        text = f"too little room: the last backup has {expected:,} bytes, {free:,} are free"
        hint = "make room, or write elsewhere with: inv db.backup --to DIR"
        raise StackError(str(folder), text, hint=hint)


def make_folder(root: Path, folder: Path) -> None:
    """Create the backup folders for the owner alone, out of git's sight.

    A folder that is there already is left as it is, its rights and ignore file included.
    """
    made = [each for each in dict.fromkeys((root, folder)) if not each.exists()]
    for each in made:
        files.make_folder(each, private=True)
    if made:
        files.write(made[0] / ".gitignore", "*\n")
    if not folder.is_dir():
        files.make_folder(folder)  # raises, and says why


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

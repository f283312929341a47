"""Files that appear whole or not at all, and locks between runs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from invoke_stack import rights
from invoke_stack.errors import BusyError, UsageError

_FAR = 1 << 40
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
# Windows has neither flag; there a new name in a private folder has to do.
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)


def create_private(path: Path, shown: Path | None = None) -> int:
    """Create a new file that only its owner reads; return its descriptor.

    Args:
        path: its name.
        shown: the name that an error gives it, for a file that gets another name later.

    Raises:
        StackError: it exists already (a planted link included) or cannot be written.
    """
    try:
        found = os.open(path, _CREATE | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
    except OSError as problem:
        raise rights.error(shown or path, "cannot be written", problem) from problem
    rights.hand_over(path, found)
    return found


def write(path: Path, text: str) -> bool:
    """Put ``text`` into ``path`` atomically, readable by the owner alone.

    Returns:
        Whether anything changed: an equal file is left alone, with its time stamp.
    """
    data = text.encode()
    with contextlib.suppress(OSError):
        if not path.is_symlink() and path.read_bytes() == data:
            return False
    make_folder(path.parent)
    partial = path.with_name(f"{partial_prefix(path)}{secrets.token_hex(4)}.partial")
    descriptor = create_private(partial, path)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as problem:
        raise rights.error(path, "cannot be written", problem) from problem
    finally:
        partial.unlink(missing_ok=True)
    return True


def partial_prefix(path: Path) -> str:
    """Return how the temporary files of `write` begin: hidden, and ignored where `.env*` is."""
    return f"{path.name}." if path.name.startswith(".") else f".{path.name}."


def partials(path: Path) -> tuple[Path, ...]:
    """Return what runs of `write` on a file have left that were killed, or that go on."""
    name = re.compile(re.escape(partial_prefix(path)) + r"[0-9a-f]{8}\.partial")
    found = path.parent.iterdir() if path.parent.is_dir() else ()
    return tuple(each for each in found if name.fullmatch(each.name) and each.is_file())


def make_folder(path: Path, *, private: bool = False) -> None:
    """Create a folder and its parents; an existing one is left as it is."""
    made = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    try:
        path.mkdir(mode=PRIVATE_FOLDER if private else 0o777, parents=True, exist_ok=True)
        for each in reversed(made):
            rights.hand_over(each)
    except OSError as problem:
        text = f"cannot be created: {(problem.strerror or 'refused').lower()}"
        raise UsageError(str(path), text, hint=rights.way_out(path, problem)) from problem


def state_folder(root: Path) -> Path:
    """Return the project's state folder, created and ignored by git on first use."""
    folder = root / ".invoke-stack"
    make_folder(folder, private=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write(ignore, "*\n")
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of ours, or an empty one when there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


@contextlib.contextmanager
def lock(path: Path, what: str, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold an exclusive lock that the operating system drops when this process dies.

    Raises:
        BusyError: another run holds it for longer than ``wait_s`` seconds.
    """
    make_folder(path.parent, private=True)
    descriptor = _open_lock(path)
    try:
        deadline = time.monotonic() + wait_s
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise BusyError(
                    what,
                    f"another run is busy with it{_holder(descriptor)}",
                    hint="wait until it has ended, then run the task again",
                )
            time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    try:
        found = os.open(path, flags, PRIVATE_FILE)
    except OSError as problem:
        raise rights.error(path, "cannot be locked", problem) from problem
    rights.hand_over(path, found)
    return found


def _holder(descriptor: int) -> str:
    # Best effort: whoever holds the lock may not have written its number yet.
    with contextlib.suppress(OSError):
        number = os.read(descriptor, 32).decode(errors="replace").strip()
        return f" (process {number})" if number else ""
    return ""


def try_lock(descriptor: int) -> bool:
    """Lock an open file without waiting; the lock goes when the descriptor does."""
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            # There a lock also keeps others from reading: it lies far behind the last byte.
            place = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            os.lseek(descriptor, place, os.SEEK_SET)
    except OSError:
        return False
    return True

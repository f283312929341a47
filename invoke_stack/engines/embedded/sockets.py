"""The short private folder that a server's socket lies in.

A socket's path has at most 107 bytes (103 on macOS), so the state folder may be too deep for it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from invoke_stack.engines.embedded.account import Account, enters
from invoke_stack.errors import StackError

LONGEST = 103 - len("/.s.PGSQL.65535")


def make(folder: Path, account: Account | None, known: str = "") -> Path:
    """Return a service's socket folder, created where it is not there.

    Args:
        folder: where the service's files lie; decides the name.
        account: who has to own it.
        known: the folder that it had before, taken again where it still is the owner's alone.

    Raises:
        StackError: no folder for temporary files has room for it.
    """
    name = f"invstack-{sha256(str(folder.resolve()).encode()).hexdigest()[:10]}"
    owner = account.uid if account else _uid()
    if known and os.path.lexists(known) and _private(Path(known), owner):
        return Path(known)
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - private below it
        for suffix in ("", f"-{secrets.token_hex(3)}"):
            path = parent / f"{name}{suffix}"
            short = len(os.fsencode(path)) <= LONGEST
            if short and _reaches(parent, account) and _own(path, owner, account):
                return path
    hint = "set TMPDIR to a short folder that you may write to"
    raise StackError(str(folder), "no place for its socket", hint=hint)


def clean(path: str) -> None:
    """Remove the sockets of servers that have ended; for PostgreSQL a zombie still holds them."""
    for each in Path(path).glob(".s.PGSQL.*") if path else ():
        each.unlink(missing_ok=True)


def remove(path: str) -> None:
    """Remove a socket folder that no server uses any more."""
    if path and Path(path).name.startswith("invstack-"):
        shutil.rmtree(path, ignore_errors=True)


def give_up(path: str) -> None:
    """Remove the socket folder of a server that did not start; one with a socket in it stays."""
    if path:
        with contextlib.suppress(OSError):
            Path(path).rmdir()


def _own(path: Path, owner: int, account: Account | None) -> bool:
    """Create the folder; return whether it is the owner's alone, not one that was planted."""
    try:
        path.mkdir(mode=0o700)
        if account is not None:
            account.own(path)
    except FileExistsError:
        pass
    except OSError:
        return False
    return _private(path, owner)


def _private(path: Path, owner: int) -> bool:
    found = path.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == owner
        and not stat.S_IMODE(found.st_mode) & 0o77
    )


def _reaches(parent: Path, account: Account | None) -> bool:
    return account is None or enters(parent.resolve(), account)


def _uid() -> int:
    return os.getuid() if os.name == "posix" else 0

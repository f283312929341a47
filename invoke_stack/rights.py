"""What to say, and what to do, where the system refuses to read or write a file."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from pathlib import Path

from invoke_stack.errors import StackError, UsageError

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the user's hand can change: neither a full disk nor a bug."""

_WAYS_OUT = {
    errno.ENOTDIR: "a file is in the way: move it",
    errno.EEXIST: "a file is in the way: move it",
    errno.EISDIR: "a folder is in the way: move it",
    errno.ELOOP: "a link is in the way: remove it",
    errno.ENOSPC: "make room on the disk",
    errno.EROFS: "it is mounted read-only: name another folder, or work in a copy elsewhere",
}


def hand_over(path: Path, descriptor: int | None = None) -> None:
    """Give what root has made to the owner of its folder, whose runs go on with it.

    `sudo inv stack.up` would otherwise leave files that plain `inv stack.ps` cannot read.

    Args:
        path: a folder, or a file.
        descriptor: the open file, so that nothing else can take its place meanwhile.
    """
    if os.name != "posix" or os.geteuid() != 0:
        return
    above = path.parent.stat()
    found = path.lstat() if descriptor is None else os.fstat(descriptor)
    # A file with a second name may be anybody's.
    if not above.st_uid or found.st_uid or (descriptor is not None and found.st_nlink > 1):
        return
    with contextlib.suppress(OSError):  # root of a container may not be allowed to
        if descriptor is None:
            os.chown(path, above.st_uid, above.st_gid, follow_symlinks=False)
        else:
            os.fchown(descriptor, above.st_uid, above.st_gid)


def error(path: Path, what: str, problem: OSError) -> StackError:
    """Return the error for a file or folder that cannot be made, written or locked.

    Args:
        path: what was to be written, by the name that the user knows.
        what: for example "cannot be written".
        problem: what the system said.
    """
    said = (problem.strerror or "refused").lower()
    kind = UsageError if problem.errno in REFUSED else StackError
    return kind(str(path), f"{what}: {said}", hint=way_out(path, problem))


def way_out(path: Path, problem: OSError) -> str:
    """Return what to do about a file that cannot be made or read."""
    return _WAYS_OUT.get(problem.errno or 0) or _own(_culprit(path))


def _culprit(path: Path) -> Path:
    """Return the file or folder whose rights are in the way."""
    # Not `Path.exists`, which raises below a folder that may not be entered.
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):  # noqa: PTH110
        return path
    return next(each for each in path.absolute().parents if os.path.exists(each))  # noqa: PTH110


def _own(place: Path) -> str:
    """Return the command that makes a file or folder writable for this user."""
    named = shlex.quote(str(place))
    if os.name != "posix":
        return f"give yourself the right to write there: {named}"
    owner = place.stat().st_uid
    if owner == os.geteuid():
        lacking = "writable" if os.access(place, os.R_OK) else "readable"
        return f"it is yours but not {lacking}: chmod u+rwX {named}"
    return f'it belongs to {_name(owner)}: sudo chown -R "$(id -un)" {named}'


def _name(owner: int) -> str:
    """Return a user's name, or the number where nobody has it."""
    import pwd

    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"user {owner}"

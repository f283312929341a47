"""Who the servers run as: PostgreSQL refuses root, so root hands them to another account."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from invoke_stack.engines.embedded import programs as clients
from invoke_stack.engines.embedded.programs import Kind, Programs
from invoke_stack.errors import StackError, UsageError

CACHE = Path("/var/cache/invoke-stack")
"""Where programs are copied to that the account could not reach; root's own."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine that root starts servers as."""

    uid: int
    gid: int
    name: str

    @property
    def numbers(self) -> tuple[int, int]:
        """What a `Command` wants."""
        return self.uid, self.gid

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def find(environ: Mapping[str, str], root: Path, data: Path) -> Account | None:
    """Return the account to run as, or None to run as the caller.

    In this order: the owner of data that is there already, who called `sudo`, the owner of
    the project's folder, `postgres`, `nobody`.

    Raises:
        UsageError: the data belongs to somebody else, or root finds no other account.
    """
    if os.name != "posix":
        return None
    owner = data.stat().st_uid if data.is_dir() else -1
    if os.geteuid() != 0:
        if owner not in (-1, os.geteuid()):
            text = f"belongs to user {owner}, and PostgreSQL takes only its own user's data"
            raise UsageError(str(data), text, hint="run it as root, or as that user")
        return None
    return _first(environ, root, owner)


def _first(environ: Mapping[str, str], root: Path, owner: int) -> Account:
    import pwd

    sudo = environ.get("SUDO_UID", "")
    for uid in (owner, int(sudo) if sudo.isdecimal() else -1, root.stat().st_uid):
        found = [each for each in pwd.getpwall() if each.pw_uid == uid]
        if uid > 0 and found:
            return Account(uid, found[0].pw_gid, found[0].pw_name)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    hint = "run it as another user, or make one: useradd --system postgres"
    raise UsageError("engine: embedded", "PostgreSQL does not run as root", hint=hint)


def reachable(programs: Programs, kind: Kind, account: Account | None) -> Programs:
    """Return the programs, or a copy of them where the account cannot enter their folder.

    Raises:
        StackError: the copy cannot be made.
    """
    if account is None or enters(programs.folder, account):
        return programs
    folder = programs.folder
    base, parts = _parts(programs, kind)
    stamp = f"{folder}:{(folder / programs.server).stat().st_mtime_ns}"
    home = CACHE / sha256(stamp.encode()).hexdigest()[:16]
    if not home.is_dir():
        _copy(base, [each for each in parts if each.exists()], home)
    return replace(programs, folder=home / folder.relative_to(base))


def _parts(programs: Programs, kind: Kind) -> tuple[Path, list[Path]]:
    """Return what programs need to run, and the folder from which the places of it count."""
    folder = programs.folder
    base = folder.parent
    # PostgreSQL looks for its libraries beside the folder of its programs.
    parts = [base / name for name in ("bin", "lib", "lib64", "share")]
    if kind == "redis":
        parts = [folder / name for name in (programs.server, clients.CLIENTS[programs.server])]
    for package in folder.parents[:2]:
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():  # programs in a wheel look for some two or three folders above
            return package.parent, [*parts, libraries]
    return base, parts


def enters(folder: Path, account: Account) -> bool:
    """Return whether an account may go into a folder and those above it."""
    for each in (folder, *folder.parents):
        found = each.stat()
        bit = 0o100 if found.st_uid == account.uid else 0o010 if found.st_gid == account.gid else 1
        if not found.st_mode & bit:
            return False
    return True


def _copy(base: Path, parts: list[Path], home: Path) -> None:
    partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
    try:
        CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial.mkdir(mode=0o755)
        for part in parts:
            place = partial / part.relative_to(base)
            place.parent.mkdir(parents=True, exist_ok=True)
            if part.is_dir():
                shutil.copytree(part, place, symlinks=True)
            else:
                shutil.copy2(part, place)
        _open(partial)
        partial.rename(home)
    except OSError as problem:
        if home.is_dir():  # another run was faster
            return
        text = f"cannot be copied to {CACHE}: {problem.strerror}"
        raise StackError(str(parts[0]), text, hint="run it as a user other than root") from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open(folder: Path) -> None:
    """Let everybody read, and run what could be run."""
    for each in (folder, *folder.rglob("*")):
        if not each.is_symlink():
            mode = each.stat().st_mode
            each.chmod(0o755 if each.is_dir() or mode & 0o100 else 0o644)

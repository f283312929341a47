"""Processes that were started earlier, told apart from others that got their number since."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import Command, Runner

POLL_S = 0.02
PROC = Path("/proc")
PID_FILES = ("postmaster.pid", "redis.pid")
"""What the servers write into their data folders by themselves, their number first."""

_SERVERS = re.compile(r"postgres|redis|valkey")
_LATE_S = 2.0
"""How much later than its process a pid file of the same second may seem to be."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for good: its number, and when it was started as the system writes it."""

    pid: int
    born: str


def identify(runner: Runner, pid: int, *, proc: Path = PROC) -> Identity | None:
    """Return a process that runs, or None; one that only waits for its parent has ended.

    ``proc`` is where Linux tells of processes; elsewhere `ps` does.
    """
    if pid <= 0:
        return None
    if _has(proc):
        fields = _stat(pid)
        return Identity(pid, f"{_boot()}/{fields[19]}") if fields else None
    words = _ps(runner, pid, "stat=,lstart=").split(maxsplit=1)
    return Identity(pid, words[1]) if len(words) > 1 and words[0][0] != "Z" else None


def alive(runner: Runner, known: Identity) -> bool:
    """Tell whether that very process still runs."""
    return identify(runner, known.pid) == known


def working_in(runner: Runner, folder: Path, *, proc: Path = PROC) -> tuple[int, ...]:
    """Return the servers that work in a data folder, whoever started them.

    Both servers make it their working directory, children included. Where that of another
    user's process cannot be read, what they wrote into the folder tells.
    """
    found = set(_by_directory(folder)) if _has(proc) else set()
    for name in PID_FILES:
        pid = _written(folder / name)
        if pid and pid not in found and _wrote(runner, pid, folder / name, proc):
            found.add(pid)
    return tuple(sorted(found))


def written(folder: Path) -> tuple[int, ...]:
    """Return the numbers that the servers themselves wrote into a data folder."""
    return tuple(pid for name in PID_FILES if (pid := _written(folder / name)))


def number_taken(pid: int) -> bool:
    """Tell whether the system still has anything under a number, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def end(runner: Runner, known: Identity, *numbers: int, patience_s: float) -> bool:
    """Send the signals one after the other until the process is gone; return whether it is.

    Raises:
        StackError: it belongs to another user.
    """
    for number in numbers:
        if not alive(runner, known):
            return True
        try:
            os.kill(known.pid, number)
        except ProcessLookupError:
            return True
        except PermissionError as problem:
            text = "belongs to another user and cannot be ended"
            hint = "run this as the user who started the stack"
            raise StackError(f"process {known.pid}", text, hint=hint) from problem
        if _gone(runner, known, patience_s):
            return True
    return not alive(runner, known)


def kill(runner: Runner, pids: tuple[int, ...], patience_s: float) -> None:
    """End processes that nobody leads any more, at once."""
    for pid in pids:
        known = identify(runner, pid)
        if known is not None:
            end(runner, known, signal.SIGTERM, _KILL, patience_s=patience_s)


def _gone(runner: Runner, known: Identity, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while alive(runner, known):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _has(proc: Path) -> bool:
    return (proc / "self" / "stat").exists()


def _stat(pid: int) -> list[str]:
    """Return the fields behind a process's name; none for one that has ended."""
    try:
        words = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    fields = words.rpartition(")")[2].split()
    return [] if fields[0] in "ZX" else fields


def _boot() -> str:
    """Return what no other boot of this machine has: ticks begin at zero each time."""
    with contextlib.suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    return ""


def mark(folder: Path) -> str:
    """Return a word that the command lines of PostgreSQL's processes in a data folder have."""
    return sha256(str(folder.parent.resolve()).encode()).hexdigest()[:8]


def _by_directory(folder: Path) -> list[int]:
    wanted, marked = str(folder.resolve()), mark(folder).encode()
    found = []
    for pid in (int(each.name) for each in PROC.iterdir() if each.name.isdecimal()):
        with contextlib.suppress(OSError):
            try:
                ours = _directory(PROC / str(pid) / "cwd") == wanted
            except PermissionError:  # another user's, where root is not almighty: a container
                ours = marked in (PROC / str(pid) / "cmdline").read_bytes()
            if ours and _stat(pid):
                found.append(pid)
    return [pid for pid in found if _SERVERS.search(_name(pid)) or "initdb" in _name(pid)]


def _directory(link: Path) -> str:
    return str(link.readlink()).removesuffix(" (deleted)")


def _name(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _written(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text(errors="replace").split()[0])
    return 0


def _wrote(runner: Runner, pid: int, path: Path, proc: Path) -> bool:
    """Tell whether a process is the server that wrote a pid file."""
    try:
        latest = path.stat().st_mtime + _LATE_S
    except OSError:
        return False
    if not _has(proc):
        words = _ps(runner, pid, "lstart=,comm=")
        return bool(_SERVERS.search(words)) and _local(words[:24]) <= latest
    fields = _stat(pid)
    if not fields or not _SERVERS.search(_name(pid)):
        return False
    try:
        # Where it may be read, it decides: a copy of the folder has the same pid file.
        return _directory(proc / str(pid) / "cwd") == str(path.parent.resolve())
    except OSError:
        # One that got the number later was started after the file was written.
        return _epoch(int(fields[19])) <= latest


def _local(stamp: str) -> float:
    """Return a time as `ps` writes it as seconds since the epoch."""
    try:
        return time.mktime(time.strptime(stamp))
    except ValueError:
        return math.inf


def _epoch(ticks: int) -> float:
    """Return a time since boot, in the kernel's ticks, as seconds since the epoch."""
    booted = re.search(r"^btime (\d+)", (PROC / "stat").read_text(), re.MULTILINE)
    return (int(booted[1]) if booted else 0) + ticks / os.sysconf("SC_CLK_TCK")


def _ps(runner: Runner, pid: int, what: str) -> str:
    """Ask `ps`, which every Unix has, about one process."""
    command = Command(("ps", "-o", what, "-p", str(pid)), {"LC_ALL": "C"}, effect="read")
    try:
        return runner.capture(command, timeout_s=5).stdout.strip()
    except UsageError:
        return ""


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

"""Sessions that outlive their client.

A program started by `docker exec` goes on inside the container when the docker CLI dies, and
keeps its locks. So every dump carries a name of ours in the server's list of sessions, and
ending that session is how a dump is ended.

The name is `invstack-<key>-<random>`. The key is made from this machine's name and the path of
the lock file that guards the target, so whoever holds the lock knows that every session with
that key belongs to a run that has died: a live one would still hold it. A run of another clone
or another machine against the same server has another key and is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from invoke_stack.database.target import Target, ask
from invoke_stack.errors import StackError
from invoke_stack.project import Project

START_S = 1.5
"""How long a client that was just started may take to show up at the server, in seconds."""

END_S = 5.0
"""How long to go on ending sessions, in seconds."""

ASK_S = 10
"""How long a server may take to end a session, in seconds: one that hangs has kept us before."""


def lock_path(state: Path, target: Target) -> Path:
    """Return the lock file that guards a target against a second run."""
    parts = (target.project, target.service or target.host, target.database)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    return state / f"db-{key}.lock"


def prefix(lock: Path) -> str:
    """Return the beginning of the names of all sessions under one lock."""
    place = f"{platform.node()}\0{lock.resolve()}"
    return f"invstack-{hashlib.sha256(place.encode()).hexdigest()[:12]}-"


def new_name(lock: Path) -> str:
    """Return a session name that no other run has."""
    return prefix(lock) + secrets.token_hex(4)


def counted(answer: str) -> int:
    """Return how many sessions the statement that begins this answer has ended."""
    first = answer.partition("\n")[0].strip()
    return int(first) if first.isdecimal() else 0


def end(project: Project, target: Target, name: str, *, start_s: float = 0.0) -> int:
    """End the sessions whose name begins so; return how many there were.

    Args:
        project: what runs the query.
        target: the database.
        name: a whole name or a prefix.
        start_s: how long to look for one that may not have connected yet. A client of this
            machine has ended with the run that started it; one in a container may still begin.
    """
    patience_s = start_s if target.container else 0.0
    statement = target.provider.ending(name)
    began, ended = time.monotonic(), 0
    while True:
        found = counted(ask(project, target, statement, read=False, timeout_s=ASK_S))
        passed = time.monotonic() - began
        ended = max(ended, found)
        if passed > END_S or (found == 0 and (ended or passed >= patience_s)):
            return ended


@contextlib.contextmanager
def ended_on_failure(project: Project, target: Target, name: str) -> Iterator[None]:
    """End the session of that name when the block fails or is interrupted."""
    try:
        yield
    except StackError:
        # The client has ended by itself, or what it wrote was refused: it is known already.
        end_quietly(project, target, name)
        raise
    except BaseException:
        end_quietly(project, target, name, START_S)
        raise


def end_quietly(project: Project, target: Target, name: str, start_s: float = 0.0) -> None:
    """End sessions on the way out of something that went wrong."""
    # The first problem is the one to report; a stopped container has no sessions anyway.
    with contextlib.suppress(StackError):
        end(project, target, name, start_s=start_s)

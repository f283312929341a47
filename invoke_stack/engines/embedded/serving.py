"""Starting, watching and ending one service's process."""

from __future__ import annotations

import dataclasses
import signal
import time
from pathlib import Path
from typing import Literal

from invoke_stack import files
from invoke_stack.engines.embedded import (
    account,
    cluster,
    postgres,
    processes,
    record,
    redis,
    sockets,
)
from invoke_stack.engines.embedded.record import Record
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.process import Command
from invoke_stack.project import Project

START_S = 60.0
STOP_S = 10.0
"""How long a server may take to end, in seconds; as long as Docker gives a container."""
LEFT_S = 5.0
ORPHANED_S = 1.0
"""How long processes without a leader may take to notice it, in seconds."""
PROBE_S = 1.0
POLL_S = 0.02
LOG_BYTES = 10 * 1024**2
LOG_LINES = 15

State = Literal["ready", "starting", "deaf", "gone"]


def command(found: Record, data: Path) -> Command:
    """Return the call that runs a service's server, in its data folder."""
    words = found.argv
    postgres_ = found.kind == "postgres"
    if postgres_:
        hosts = f"{postgres.LOOPBACK},::1"
        words = postgres.placed(words, Path(found.sockets), found.port, hosts)
    # The caller's PGHOST or PGDATA would lead the server astray; TZ is the container's.
    env = {"TZ": found.environment.get("TZ") or "UTC"}
    argv = (str(Path(found.programs) / words[0]), *words[1:])
    return Command(
        argv,
        env=env,
        cwd=cluster.ROOT if postgres_ else data,
        without=("PG*",),
        account=found.account,
        folder=data if postgres_ else None,
    )


def start(project: Project, found: Record) -> Record:
    """Start a service's process and write down which one it is.

    What an earlier run has left in its data folder is ended first.

    Raises:
        StackError: the server does not end.
        UsageError: its data belongs to another user.
    """
    home = record.home(project, found.service)
    settle(project, home.data)
    # Whoever started it before may have been root, or not have been.
    owner = account.find(project.environ, project.root, home.data)
    found = dataclasses.replace(found, account=owner.numbers if owner else None)
    if found.sockets:
        # Folders for temporary files are emptied, when the machine starts at the latest.
        place = sockets.make(home.folder, owner, known=found.sockets)
        found = dataclasses.replace(found, sockets=str(place))
        sockets.clean(found.sockets)
    if home.log.exists() and home.log.stat().st_size > LOG_BYTES:
        home.log.replace(home.log.with_suffix(".old"))
    # Written first: whoever finds a process in the data folder then knows what it is.
    record.write(project, dataclasses.replace(found, pid=0, born=""))
    pid = project.runner.detach(command(found, home.data), home.log, stdin=found.config.encode())
    known = processes.identify(project.runner, pid)
    born = known.born if known else ""
    running = dataclasses.replace(found, pid=pid, born=born, started=time.time())
    record.write(project, running)
    return running


def settle(project: Project, data: Path) -> None:
    """End what still works in a data folder: a server that lost its record, or its children.

    Raises:
        StackError: it does not end.
    """
    runner = project.runner
    found = processes.working_in(runner, data)
    for pid in set(processes.written(data)) & set(found):
        known = processes.identify(runner, pid)
        if known is not None:
            processes.end(runner, known, signal.SIGINT, signal.SIGTERM, patience_s=STOP_S)
    # Children of a killed postgres notice it by themselves unless they are busy.
    deadline = time.monotonic() + ORPHANED_S
    while left := processes.working_in(runner, data):
        if time.monotonic() > deadline:
            processes.kill(runner, left, LEFT_S)
            break
        time.sleep(POLL_S)
    if left := processes.working_in(runner, data):
        numbers = ", ".join(str(pid) for pid in left)
        hint = f"end it, then try again: kill {left[0]}"
        raise StackError(str(data), f"process {numbers} still works there", hint=hint)
    lock = data / "postmaster.pid"
    if any(processes.number_taken(pid) for pid in processes.written(data)):
        # PostgreSQL takes whatever has the number now, a zombie too, for a server of this data.
        lock.unlink(missing_ok=True)


def state(project: Project, found: Record, timeout_s: float = PROBE_S) -> State:
    """Return how a service's process is."""
    if not found.pid or not processes.alive(project.runner, found.identity):
        return "gone"
    if found.kind == "redis":
        late = time.time() - found.started > START_S
        return redis.state(found.port, timeout_s) or ("deaf" if late else "starting")
    data = record.home(project, found.service).data
    if not postgres.state(data, found.pid).startswith(postgres.READY):
        return "starting"
    return postgres.answers(found.port, timeout_s) or "deaf"


def wait(project: Project, found: Record, timeout_s: float = START_S) -> None:
    """Return once a service is ready.

    Raises:
        StackError: its process ended.
        UnreachableError: it was not ready in time.
    """
    deadline = time.monotonic() + timeout_s
    data = record.home(project, found.service).data
    while (now := state(project, found)) != "ready":
        _require_address(project, found, data)
        words = tuple(f"log | {line}" for line in last_lines(project, found.service, LOG_LINES))
        if now == "gone":
            sockets.give_up(found.sockets)
            raise StackError(found.service, "ended while it started", hint=_LOGS, detail=words)
        if time.monotonic() > deadline:
            text = f"not ready within {timeout_s:g} s"
            raise UnreachableError(found.service, text, hint=_LOGS, detail=words)
        time.sleep(POLL_S)
    _require_address(project, found, data)


def _require_address(project: Project, found: Record, data: Path) -> None:
    """End a PostgreSQL that goes on without the address that somebody else has, and say so."""
    if found.kind != "postgres" or not postgres.state(data, found.pid).startswith(postgres.READY):
        return
    if not postgres.on_loopback(data):
        stop(project, found)
        sockets.give_up(found.sockets)
        text = f"could not listen on {postgres.LOOPBACK}:{found.port}"
        raise StackError(found.service, text, hint="inv stack.up tells who has that port")


def stop(project: Project, found: Record) -> Record:
    """End a service's process and write down that we did.

    PostgreSQL rolls back what is open and writes all out; Redis saves as it is configured.

    Raises:
        StackError: it does not end, or belongs to another user.
    """
    polite = signal.SIGINT if found.kind == "postgres" else signal.SIGTERM
    hard = getattr(signal, "SIGQUIT", signal.SIGTERM)
    last = getattr(signal, "SIGKILL", signal.SIGTERM)
    if found.pid:
        known = found.identity
        if not processes.end(project.runner, known, polite, hard, last, patience_s=STOP_S):
            raise StackError(f"process {found.pid}", "does not end", hint="inv stack.ps")
    settle(project, record.home(project, found.service).data)
    ended = dataclasses.replace(found, pid=0, born="", started=0.0)
    record.write(project, ended)
    return ended


def last_lines(project: Project, service: str, count: int) -> list[str]:
    """Return the last lines that a service wrote."""
    log = record.home(project, service).log
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 400 * max(1, count)))
            return stream.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def prepare(project: Project, service: str) -> record.Home:
    """Return where a service's files lie, and see that the folders are there."""
    _ = project.state
    home = record.home(project, service)
    files.make_folder(home.folder, private=True)
    return home


_LOGS = "inv stack.logs shows everything it wrote"

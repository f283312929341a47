"""Acting on embedded services that were started: stop, start, restart, logs, exec."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose import families
from invoke_stack.compose.model import Model
from invoke_stack.engines.embedded import declaring, postgres, processes, record, serving
from invoke_stack.engines.embedded.engine import address
from invoke_stack.engines.embedded.record import Record
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import state
from invoke_stack.stack.embedded import elsewhere

POLL_S = 0.1
ALL = 10**9
CLIENTS = ("redis-cli", "valkey-cli")
OWN = {
    "postgres": re.compile(
        r"psql|pg_\w+|pgbench|(create|drop)(db|user)|(vacuum|reindex|cluster)db"
    ),
    "redis": re.compile(r"(redis|valkey)-[\w-]+"),
}
"""Which programs belong to a server; others may lie in the same folder."""


def change(project: Project, verb: str, services: Sequence[str], report: events.Report) -> None:
    """Stop, start or restart services as they were started last.

    Raises:
        StackError: a process did not end, or ended while it started.
        UnreachableError: it was not ready in time.
    """
    if project.dry:
        for name in services:
            report(events.Planned(f"{verb} {name}"))
        return
    found = [_require(project, name) for name in services]
    if verb in ("stop", "restart"):
        found = [serving.stop(project, each) for each in found]
    if verb in ("start", "restart"):
        gone = [each for each in found if serving.state(project, each) == "gone"]
        for each in [serving.start(project, each) for each in gone]:
            serving.wait(project, each)


def logs(
    project: Project, services: Sequence[str], flags: Sequence[str], show: Callable[[str], None]
) -> None:
    """Hand the services' lines to ``show``, each behind its service's name.

    ``flags`` are those of `docker compose logs`.

    Raises:
        UsageError: `--since`, which the servers' own files cannot tell.
    """
    if "--since" in flags:
        hint = "--tail 200 shows the last lines; each has the server's own time in it"
        raise UsageError("--since", "needs Docker", hint=hint)
    tail = flags[flags.index("--tail") + 1] if "--tail" in flags else "all"
    count = ALL if tail == "all" else int(tail)
    width = max((len(name) for name in services), default=0)
    places = {}
    for name in services:
        log = record.home(project, name).log
        text, places[name] = _whole(log)
        for line in text.splitlines()[-count:] if count else ():
            show(f"{name:<{width}}  | {line}")
    live = "--follow" in flags
    while live:
        # Once nothing runs any more, nothing is written any more.
        live = any(_runs(project, name) for name in services)
        for name in services:
            lines, places[name] = _fresh(record.home(project, name).log, places[name])
            for line in lines:
                show(f"{name:<{width}}  | {line}")
        time.sleep(POLL_S if live else 0)


def execute(
    project: Project, model: Model, service: str, words: Sequence[str], *, fresh: bool = False
) -> int:
    """Run one of a service's own programs on this machine and return its exit code.

    Raises:
        UsageError: it is none of them, or a container of its own was asked for.
        UnreachableError: the service does not run.
    """
    known = model.services.get(service)
    if known is not None and declaring.kind_of(known) is None:
        hint = elsewhere.instead(project, known, project.mode(state.known_mode(project)))
        raise UsageError(service, "is not started without Docker", hint=hint)
    if fresh:
        hint = f"inv stack.exec -s {service} -- COMMAND, or inv env.run -- COMMAND"
        raise UsageError("stack.run", "needs Docker: there are no containers here", hint=hint)
    found = record.read(project, service)
    if found is None or serving.state(project, found) == "gone":
        raise UnreachableError(service, "is not up", hint=f"inv stack.up -s {service}")
    return project.runner.attach(exec_command(found, words))


def exec_command(found: Record, words: Sequence[str]) -> Command:
    """Return the call of one of a service's programs, with the service's environment.

    Raises:
        UsageError: the service has no such program.
    """
    program = Path(words[0]).name
    own = OWN[found.kind].fullmatch(program)
    path = shutil.which(program, path=found.programs) if own else None
    if path is None:
        hint = f"its clients are in {found.programs}; any other command: inv env.run -- {program}"
        raise UsageError("stack.exec", f"{found.service} has no {program}", hint=hint)
    # A client without a port would reach whatever server has the usual one.
    place = ("-h", postgres.LOOPBACK, "-p", str(found.port)) if program in CLIENTS else ()
    return Command(
        (path, *place, *words[1:]),
        env={**found.environment, **address(found), **_login(found)},
        without=("PG*",),
        interactive=True,
    )


def _login(found: Record) -> dict[str, str]:
    """Return who a client of PostgreSQL is where it does not say so itself."""
    if found.kind != "postgres":
        return {}
    user = families.first(found.environment, families.POSTGRES_USER) or "postgres"
    name = families.first(found.environment, families.POSTGRES_DATABASE) or user
    return {"PGUSER": user, "PGDATABASE": name}


def _require(project: Project, name: str) -> Record:
    found = record.read(project, name)
    if found is None:
        raise UnreachableError(name, "is not up", hint=f"inv stack.up -s {name}")
    return found


def _runs(project: Project, name: str) -> bool:
    found = record.read(project, name)
    return found is not None and processes.alive(project.runner, found.identity)


def _whole(log: Path) -> tuple[str, int]:
    try:
        data = log.read_bytes()
    except OSError:
        return "", 0
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace"), end


def _fresh(log: Path, place: int) -> tuple[list[str], int]:
    """Return the whole lines behind a place in a log, and where they end."""
    try:
        with log.open("rb") as stream:
            if log.stat().st_size < place:  # begun anew
                place = 0
            stream.seek(place)
            data = stream.read()
    except OSError:
        return [], place
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), place + end

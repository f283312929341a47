"""`db.wait`: until the database answers as it will answer the app."""

from __future__ import annotations

import time
from dataclasses import dataclass

from invoke_stack.database import leftovers, locate, versions
from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.events import Progress, Report, ServiceProgress, Step, silent
from invoke_stack.process import Completed
from invoke_stack.project import Project

EVERY_S = 0.5
PROBE_S = 15.0
LOG_LINES = 20
_ENDED = ("exited", "dead", "removing")


@dataclass(frozen=True, slots=True)
class Ready:
    """A database that answers, and how long that took; ``service`` may be `host:port`."""

    service: str
    database: str
    seconds: float


def wait(  # noqa: PLR0913 - which database, how long, and who is told
    project: Project,
    declared: Declared,
    docker: Engine | None,
    timeout_s: float = 0,
    report: Report = silent,
    key: str = "",
) -> Ready:
    """Wait until the app's own database answers over TCP where it runs.

    With ``key``, wait for the one that this variable's URL leads to, as its user.

    The server of a fresh volume is started twice: the first time for its socket only, while the
    database is made. Whoever asks the socket, as `pg_isready` does, is told "ready" too early.

    ``timeout_s`` 0 takes the setting `db.timeout`; ``report`` gets a row of the live table for
    each look.

    Raises:
        StackError: the server ended; with its last log lines.
        UnreachableError: not ready in time, not running, or the user is not let in.
    """
    began = time.monotonic()
    limit = timeout_s or project.settings.db.timeout
    target = _look(project, declared, docker, key, report)
    service = target.host or target.service
    report(Step(f"waiting for {service}"))
    while True:
        answer = _probe(project, target)
        seconds = time.monotonic() - began
        if answer.code == 0 and answer.stdout.strip() == "1":
            leftovers.sweep(project, target, report)
            return Ready(service, target.database, round(seconds, 2))
        reason = _reason(project, target, answer)
        if seconds + EVERY_S > limit:
            raise _late(target, limit, reason)
        report(Progress((ServiceProgress(service, "starting", reason, seconds),)))
        time.sleep(EVERY_S)
        target = _look(project, declared, docker, key)


def _late(target: Target, limit: float, reason: str) -> UnreachableError:
    log = f"read its log with: inv stack.logs -s {target.service}"
    return UnreachableError(
        target.where,
        f"database {target.database} was not ready after {limit:g} s",
        hint=log if target.service else f"check the host and port in {target.key}",
        detail=(reason,) if reason else (),
    )


def _look(
    project: Project,
    declared: Declared,
    docker: Engine | None,
    key: str,
    report: Report = silent,
) -> Target:
    if docker is not None and not key:
        service = targets.service_of(project, declared).name
        container = targets.container_of(docker, declared.name, service)
        if container is not None and container.state in _ENDED and container.started_at:
            raise _ended(docker, container)
    return locate.find(project, declared, docker, key, report)


def _ended(docker: Engine, container: Container) -> StackError:
    if container.exit_code == 0:  # somebody stopped it; there is nothing to correct
        return targets.stopped(container.service, container)
    log = docker.logs(container.id, LOG_LINES)
    if known := versions.mismatch(f"service {container.service}", log):
        return known
    lines = log.splitlines()
    return StackError(
        f"service {container.service}",
        f"it ended with code {container.exit_code}",
        hint=f"correct what its log says, then: inv stack.up -s {container.service}",
        detail=tuple(lines[-LOG_LINES:]),
    )


def _probe(project: Project, target: Target) -> Completed:
    # A URL says itself over which host; the stack's own is asked as the app will ask it.
    argv = target.provider.client() if target.key else target.provider.probe()
    command = target.inside(argv, fed=bool(target.key), read=True)
    try:
        stdin = b"SELECT 1;" if target.key else None
        return project.runner.capture(command, timeout_s=PROBE_S, stdin=stdin)
    except UnreachableError:
        raise
    except StackError as slow:  # the engine is busy: one look less
        return Completed(command, 1, "", slow.message)


def _reason(project: Project, target: Target, answer: Completed) -> str:
    """Return the client's last words; raise where waiting cannot help."""
    words = project.secrets.hide(answer.stderr.strip())
    known = target.provider.explain(target.login, words)
    if isinstance(known, UnreachableError) and "let" in known.message:
        raise known
    return (words.splitlines() or [""])[0]

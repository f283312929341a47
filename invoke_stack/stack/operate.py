"""Acting on services that exist already: stop, start, restart, logs, exec, run, shell."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from invoke_stack import events
from invoke_stack.compose import commands
from invoke_stack.engines import choice, docker, opening
from invoke_stack.engines.containers import Container
from invoke_stack.engines.embedded import declaring
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import images, known, override, preflight
from invoke_stack.stack.embedded import acting
from invoke_stack.stack.known import Known

MARK = "INVSTACK_RUN"
"""Environment variable that names what one exec started, so that ^C can end it inside."""

# Runs in any image with a shell: finds the processes of one exec by their environment.
END_MARKED = (
    'for d in /proc/[0-9]*; do if tr "\\0" "\\n" < "$d/environ" 2>/dev/null '
    f'| grep -qx "{MARK}=$1"; then kill -TERM "${{d#/proc/}}" 2>/dev/null; fi; done'
)
DEAF_S = 0.2
"""How long a `docker exec` without a terminal may take to end by itself after ^C."""

ERASE_LINE = "\x1b[2K"
"""Compose 2.26 and its neighbours begin log lines with it, also with `--ansi never`."""

_SINCE = re.compile(
    r"\d+(\.\d+)?|(\d+(\.\d+)?(h|ms|us|µs|ns|m|s))+|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?"
    r"(Z|[+-]\d\d:\d\d)?"
)
DOING = {"stop": "stopping", "start": "starting", "restart": "restarting"}
DONE = {"stop": "stopped", "start": "started", "restart": "restarted"}
SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Whether the caller's streams are terminals."""

    interactive: bool


def change(
    project: Project, verb: str, services: Sequence[str], report: events.Report = events.silent
) -> tuple[str, ...]:
    """Stop, start or restart services; return the services that were meant.

    Raises:
        UsageError: a service that does not exist.
        UnreachableError: nothing of this project, or not that service, was ever brought up.
    """
    ours, found = _project(project, report)
    known.chosen(ours, found, services)
    for name in services:
        if not any(each.service == name for each in found):
            raise UnreachableError(name, "is not up", hint=f"inv stack.up -s {name}")
    meant = tuple(services) or tuple(sorted({each.service for each in found}))
    report(events.Step(f"{DOING[verb]} {', '.join(meant)}"))
    if on_embedded(project):
        with project.alone(f"stack.{verb}"):
            acting.change(project, verb, meant, report)
        return meant
    done = project.runner.capture(commands.by_name(ours.name, verb, *services))
    done.require(f"docker compose {verb}", "did not succeed", hint="inv stack.ps")
    return meant


def past(tail: str, since: str) -> tuple[str, ...]:
    """Return the flags that choose which lines of the past are shown.

    Raises:
        UsageError: one that Compose would take for something else, or not at all.
    """
    if tail != "all" and not re.fullmatch(r"[0-9]{1,18}", tail):
        raise UsageError("--tail", "expected a number of lines, or all", hint="--tail 50")
    if since and not _SINCE.fullmatch(since):
        raise UsageError(
            "--since", "expected a time or an age", hint="--since 10m, or 2026-01-31T10:00"
        )
    return ("--tail", tail, *(("--since", since) if since else ()))


def logs_command(
    name: str, services: Sequence[str], flags: Sequence[str], *, colour: bool
) -> Command:
    """Return the call that prints the services' logs."""
    ansi = ("--ansi", "always") if colour else ("--ansi", "never")
    base = commands.by_name(name, "logs", *flags, *services, read=True)
    at = base.argv.index("logs")
    return Command((*base.argv[:at], *ansi, *base.argv[at:]), base.env, base.cwd, "read")


def logs(  # noqa: PLR0913 - what to show, and the two ways out
    project: Project,
    services: Sequence[str],
    flags: Sequence[str],
    show: Callable[[str], None],
    report: events.Report = events.silent,
    *,
    colour: bool = False,
) -> None:
    """Hand each line of the services' logs to ``show``, which hides the secrets in it."""
    ours, found = _project(project, report)
    known.chosen(ours, found, services)
    if on_embedded(project):
        meant = tuple(services) or tuple(each.service for each in found)
        acting.logs(project, meant, flags, show)
        return
    command = logs_command(ours.name, services, flags, colour=colour)
    with project.runner.start(command) as running:
        code: int | None = None
        while code is None:
            with suppress(TimeoutError):
                code = running.wait(0.1)
            for line in running.fresh():
                show(line.removeprefix(ERASE_LINE))
    if code:
        raise StackError("docker compose logs", f"exited with code {code}", hint="inv stack.ps")


def default_service(declared: Declared) -> str:
    """Return the service meant when none is named: the only one that is built.

    Raises:
        UsageError: there are several, or none.
    """
    built = sorted(name for name, each in declared.active().items() if each.built)
    if len(built) == 1:
        return built[0]
    names = ", ".join(sorted(declared.active()))
    raise UsageError("stack.exec", "which service?", hint=f"name it with -s; services: {names}")


def exec_command(container: str, words: Sequence[str], mark: str, *, terminal: bool) -> Command:
    """Return the call that runs a program in a running container."""
    flags = ("-i", "-t") if terminal else ("-i",)
    argv = ("docker", "exec", *flags, "--env", f"{MARK}={mark}", container, *words)
    # Without a terminal it neither passes ^C on nor ends by it: waiting for it helps nobody.
    return Command(argv, grace_s=None if terminal else DEAF_S)


def execute(
    project: Project, service: str, words: Sequence[str], terminal: Terminal, *, fresh: bool = False
) -> int:
    """Run a program in a service and return its exit code.

    It runs in the running container, else (or with ``fresh``) in a one-off one. When we are
    interrupted, what it left running inside the container is ended too.

    Raises:
        UsageError: no such service, or nothing to run.
    """
    ours, found = _project(project, need=False)
    service = service or default_service(ours.require_declared())
    known.chosen(ours, found, [service])
    if not words:
        task = "stack.run" if fresh else "stack.exec"
        raise UsageError(task, "nothing to run", hint=f"inv {task} -s {service} -- COMMAND")
    if on_embedded(project):
        own = ours.model.services.get(service)
        if words == SHELL and (own is None or declaring.kind_of(own)):
            opening.docker_only(project, "stack.shell", "inv db.shell, inv cache.shell")
        return acting.execute(project, ours.model, service, words, fresh=fresh)
    running = [each for each in found if each.service == service and each.running]
    paused = [each.name for each in found if each.service == service and each.state == "paused"]
    if paused and not running and not fresh:
        raise UnreachableError(service, "is paused", hint=f"docker unpause {paused[0]}")
    if running and not fresh:
        return _inside(project, running[0], words, terminal)
    return _one_off(project, ours.require_declared(), service, words, terminal)


def _inside(
    project: Project, container: Container, words: Sequence[str], terminal: Terminal
) -> int:
    mark = secrets.token_hex(8)
    command = exec_command(container.id, words, mark, terminal=terminal.interactive)
    try:
        return project.runner.attach(command)
    except KeyboardInterrupt:
        # The engine keeps running what an exec started when its client goes away.
        end = ("docker", "exec", "--user", "0", container.id, "sh", "-c", END_MARKED, "sh", mark)
        with suppress(StackError):
            project.runner.capture(Command(end), timeout_s=10)
        raise


def one_off_words(
    service: str, words: Sequence[str], name: str, *, terminal: bool
) -> tuple[str, ...]:
    """Return the arguments of `docker compose run` for a container that removes itself."""
    flags = () if terminal else ("--no-TTY",)
    return ("run", "--rm", *flags, "--name", name, service, *words)


def _one_off(
    project: Project, declared: Declared, service: str, words: Sequence[str], terminal: Terminal
) -> int:
    preflight.variables(project, declared)
    name = f"{declared.name}-{service}-run-{secrets.token_hex(4)}"
    with docker.connect(project) as engine:
        needed = preflight.services(declared, [service])
        fast = images.checks(declared, engine, needed) if engine.probes_early else {}
    with override.applied(project, declared, fast if project.settings.override else {}) as call:
        arguments = one_off_words(service, words, name, terminal=terminal.interactive)
        try:
            return project.runner.attach(call.command(*arguments))
        except KeyboardInterrupt:
            with suppress(StackError):
                project.runner.capture(Command(("docker", "rm", "--force", name)), timeout_s=20)
            raise


def _project(
    project: Project, report: events.Report = events.silent, *, need: bool = True
) -> tuple[Known, tuple[Container, ...]]:
    with known.opened(project, report) as (ours, engine):
        found = known.containers(project, ours, engine)
    if need and not found:
        raise UnreachableError(ours.name, "nothing is up", hint="inv stack.up")
    return ours, found


def on_embedded(project: Project) -> bool:
    """Return whether the stack runs as processes of this machine."""
    return choice.chosen(project).name == "embedded"

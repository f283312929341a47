"""Acting on services that exist already: stop, start, restart, logs, exec, run, shell."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from invoke_stack import events
from invoke_stack.compose import commands
from invoke_stack.engines import docker
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import images, override, preflight, state

MARK = "INVSTACK_RUN"
"""Environment variable that names what one exec started, so that ^C can end it inside."""

# Runs in any image with a shell: finds the processes of one exec by their environment.
END_MARKED = (
    'for d in /proc/[0-9]*; do if tr "\\0" "\\n" < "$d/environ" 2>/dev/null '
    f'| grep -qx "{MARK}=$1"; then kill -TERM "${{d#/proc/}}" 2>/dev/null; fi; done'
)
ERASE_LINE = "\x1b[2K"
"""Compose 2.26 and its neighbours begin log lines with it, also with `--ansi never`."""

SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Whether the caller's streams are terminals, and the colour of what goes through us."""

    interactive: bool
    colour: bool = False


def change(
    project: Project, verb: str, services: Sequence[str], report: events.Report = events.silent
) -> tuple[str, ...]:
    """Stop, start or restart services; return the services that were meant.

    Raises:
        UsageError: a service that does not exist.
        UnreachableError: nothing of this project was ever brought up.
    """
    declared, found = _project(project)
    _require_known(declared, found, services)
    meant = tuple(services) or tuple(sorted({each.service for each in found}))
    report(events.Step(f"{verb} {', '.join(meant)}"))
    done = project.runner.capture(commands.by_name(declared.name, verb, *services))
    done.require(f"docker compose {verb}", "did not succeed", hint="inv stack.ps")
    return meant


def logs_command(
    name: str, services: Sequence[str], flags: Sequence[str], *, colour: bool
) -> Command:
    """Return the call that prints the services' logs."""
    ansi = ("--ansi", "always") if colour else ("--ansi", "never")
    base = commands.by_name(name, "logs", *flags, *services, read=True)
    at = base.argv.index("logs")
    return Command((*base.argv[:at], *ansi, *base.argv[at:]), base.env, base.cwd, "read")


def logs(
    project: Project,
    services: Sequence[str],
    flags: Sequence[str],
    show: Callable[[str], None],
    *,
    colour: bool = False,
) -> None:
    """Hand each line of the services' logs to ``show``, which hides the secrets in it."""
    declared, found = _project(project)
    _require_known(declared, found, services)
    command = logs_command(declared.name, services, flags, colour=colour)
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
    return Command(
        ("docker", "exec", *flags, "--env", f"{MARK}={mark}", container, *words), effect="write"
    )


def execute(
    project: Project, service: str, words: Sequence[str], terminal: Terminal, *, fresh: bool = False
) -> int:
    """Run a program in a service and return its exit code.

    It runs in the running container, else (or with ``fresh``) in a one-off one. When we are
    interrupted, what it left running inside the container is ended too.

    Raises:
        UsageError: no such service, or nothing to run.
    """
    declared, found = _project(project, need=False)
    service = service or default_service(declared)
    _require_known(declared, found, [service])
    if not words:
        raise UsageError(
            "stack.exec", "nothing to run", hint=f"inv stack.exec -s {service} -- COMMAND"
        )
    running = [each for each in found if each.service == service and each.running]
    if running and not fresh:
        return _inside(project, running[0], words, terminal)
    return _one_off(project, declared, service, words, terminal)


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
    preflight.variables(declared)
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


def _project(project: Project, *, need: bool = True) -> tuple[Declared, tuple[Container, ...]]:
    declared = loading.load(project, mode=state.known_mode(project))
    with docker.connect(project) as engine:
        found = _own(engine, declared)
    if need and not found:
        raise UnreachableError(declared.name, "nothing is up", hint="inv stack.up")
    return declared, found


def _own(engine: Docker, declared: Declared) -> tuple[Container, ...]:
    found = engine.containers(declared.name)
    state.require_own(found, declared.files.folder, declared.name)
    return found


def _require_known(declared: Declared, found: Sequence[Container], services: Sequence[str]) -> None:
    running = {each.service for each in found}
    for name in services:
        if name not in declared.model.services and name not in running:
            raise preflight.no_such_service(declared, name)

"""Bringing the stack up: look, check, plan, act, wait, look again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from invoke_stack import events, files
from invoke_stack.compose import commands
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines import docker
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import images, override, preflight, state, status
from invoke_stack.stack.status import Url
from invoke_stack.stack.waiting import Watch


@dataclass(frozen=True, slots=True)
class Request:
    """What `stack.up` was asked for."""

    services: tuple[str, ...] = ()
    build: bool = False
    pull: bool = False
    recreate: bool = False
    timeout_s: int = 0


@dataclass(frozen=True, slots=True)
class Up:
    """A stack that is up.

    Attributes:
        origins: number of values by origin (a file's name, "compose", "process", …).
        early: the engine probes faster while services start.
    """

    project: str
    mode: str
    services: tuple[str, ...]
    urls: tuple[Url, ...]
    origins: Mapping[str, int]
    early: bool


def up(project: Project, request: Request, report: events.Report = events.silent) -> Up:
    """Start the services of a mode and wait until they are ready.

    Raises:
        UsageError: something the user has to correct first; nothing was changed.
        UnreachableError: no engine, or a service that did not become healthy.
        StackError: a pull, a build or a service failed.
        RefusedError: the project's name belongs to another folder.
        BusyError: another `stack.up` of this project runs.
    """
    declared = loading.load(project)
    wanted = preflight.services(declared, request.services)
    preflight.variables(declared)
    for note in (*declared.env.notes, *preflight.env_files(project, declared, wanted)):
        report(events.Note(note))
    preflight.compose_version(project)
    with docker.connect(project) as engine, _alone(project):
        before = engine.containers(declared.name)
        _check(project, declared, engine, before, wanted)
        preflight.doubled(project, declared, report)
        needed = images.needed(declared, engine, wanted, build=request.build, pull=request.pull)
        with override.applied(project, declared, {}) as call:
            images.provide(project, call, needed, report)
        checks = images.checks(declared, engine, wanted)
        _switch(project, declared, before, request, report)
        _start(project, declared, engine, wanted, checks, request, report)
        if not project.dry:
            state.remember(project, name=declared.name, mode=declared.mode.name)
        return _result(declared, engine, wanted)


def _alone(project: Project) -> AbstractContextManager[None]:
    return files.lock(project.state / "up.lock", "stack.up")


def _check(
    project: Project,
    declared: Declared,
    engine: Docker,
    before: Sequence[Container],
    wanted: Sequence[str],
) -> None:
    state.require_own(before, declared.files.folder, declared.name)
    preflight.published(project, declared, engine, wanted)
    preflight.disk(engine)


def _switch(
    project: Project,
    declared: Declared,
    before: Sequence[Container],
    request: Request,
    report: events.Report,
) -> None:
    """Say what another mode changes, and remove by name the services that it lacks."""
    running = state.running_mode(project, before)
    extra = preflight.orphans(declared, before)
    if running and running != declared.mode.name:
        report(events.Note(f"switching from {running} to {declared.mode.name}"))
        if extra and not request.services:
            report(events.Step(f"removing {', '.join(extra)} (not in {declared.mode.name})"))
            done = project.runner.capture(
                commands.by_name(declared.name, "rm", "--stop", "--force", *extra)
            )
            done.require("docker compose rm", "could not remove what the mode lacks")
    elif extra:
        report(events.Note(f"left alone, not in this mode's files: {', '.join(extra)}"))


def _start(  # noqa: PLR0913 - one step of `up`, which holds all of it
    project: Project,
    declared: Declared,
    engine: Docker,
    wanted: Sequence[str],
    checks: Mapping[str, HealthCheck],
    request: Request,
    report: events.Report,
) -> None:
    fast = checks if project.settings.override and engine.probes_early else {}
    if checks and not engine.probes_early:
        report(
            events.Note(
                "this engine cannot probe faster while services start (Docker Engine 25 can)"
            )
        )
    with override.applied(project, declared, fast, report) as call:
        command = _command(call, request)
        report(events.Step(f"starting {', '.join(wanted)} ({declared.mode.name})"))
        with project.runner.start(command) as starting:
            if project.dry:
                return
            timeout_s = request.timeout_s or project.settings.timeout
            Watch(
                engine, declared.name, wanted, checks, timeout_s=timeout_s, report=report
            ).until_ready(starting)


def _command(call: ComposeCall, request: Request) -> Command:
    return commands.up(call, request.services, recreate=request.recreate)


def _result(declared: Declared, engine: Docker, wanted: Sequence[str]) -> Up:
    found = engine.containers(declared.name)
    return Up(
        project=declared.name,
        mode=declared.mode.name,
        services=tuple(wanted),
        urls=status.urls(declared, found, engine.endpoint.host),
        origins=declared.env.counts(),
        early=engine.probes_early,
    )

"""Taking the stack down: this project's containers and networks, volumes only on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from invoke_stack import events, sizes
from invoke_stack.compose import commands
from invoke_stack.engines.containers import Container, Volume
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import RefusedError, StackError
from invoke_stack.project import Project
from invoke_stack.stack import known, state
from invoke_stack.stack.embedded import taking
from invoke_stack.stack.known import Known

Backup = Callable[[Project, Declared, Engine], tuple[str, ...]]
"""Backs every database of a stack up, with the engine that it runs on; returns the files."""


@dataclass(frozen=True, slots=True)
class Down:
    """What was removed."""

    project: str
    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    backups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What `stack.down` was asked for."""

    volumes: bool = False
    backup: bool = True


def down(
    project: Project,
    request: Request,
    confirm: Callable[[str], None],
    backup: Backup,
    report: events.Report = events.silent,
) -> Down:
    """Stop and remove this project's containers, of every profile.

    Args:
        project: the project.
        request: what to remove.
        confirm: asks the question it is given; raises when the answer is no.
        backup: backs every database up and returns the files.
        report: told what happens.

    Raises:
        RefusedError: not confirmed, the name belongs to another folder, or a database that
            would be lost could not be backed up.
        BusyError: a `stack.up` of this project runs.
    """
    with known.opened(project, report) as (ours, engine), project.alone("stack.down"):
        found = known.containers(project, ours, engine, oneoff=True)
        volumes = engine.volumes(ours.name) if request.volumes else ()
        saved: tuple[str, ...] = ()
        if volumes:
            confirm(question(ours.name, volumes, saved=request.backup))
            if request.backup:
                saved = _saved(project, ours, engine, backup, report)
        if found or volumes:
            report(events.Step(f"removing {ours.name}"))
        if isinstance(engine, Embedded):
            taking.all_down(project, volumes=bool(volumes), report=report)
        else:
            _remove(project, ours.name, volumes=bool(volumes))
        if not project.dry:
            _check_gone(engine, ours.name)
            state.ended(project, ours.name)
            if request.volumes:
                state.emptied(project)
    names = tuple(sorted({each.service for each in found}))
    return Down(ours.name, names, tuple(v.name for v in volumes), saved)


def question(name: str, volumes: tuple[Volume, ...], *, saved: bool) -> str:
    """Return what is asked before volumes are removed."""
    lines = [f"remove {len(volumes)} volume(s) of {name} and all data in them:"]
    known = ((each.name, sizes.shown(each.size)) for each in volumes)
    lines += [f"  {name}  {'size unknown' if size == '-' else size}" for name, size in known]
    lines.append(
        "its databases are backed up first, nothing else is" if saved else "NO backup is written"
    )
    return "\n".join(lines)


def _remove(project: Project, name: str, *, volumes: bool) -> None:
    words = ("down", *(("--volumes",) if volumes else ()))
    # By name alone, Compose finds the containers of every profile through their labels.
    done = project.runner.capture(commands.by_name(name, *words))
    done.require("docker compose down", "not everything could be removed", hint="inv stack.ps")


def _saved(
    project: Project,
    ours: Known,
    engine: Engine,
    backup: Backup,
    report: events.Report,
) -> tuple[str, ...]:
    """Back the databases up, or refuse to go on without."""
    report(events.Step("backing the databases up before their volumes go"))
    try:
        if isinstance(engine, Embedded):
            taking.require_backable(project)
        return backup(project, ours.require_declared(), engine)
    except StackError as problem:
        raise RefusedError(
            "stack.down",
            f"a database could not be backed up: {problem}",
            hint=f"{problem.hint or 'inv stack.up'}; or lose the data: --no-backup",
        ) from problem


def _check_gone(engine: Engine, name: str) -> None:
    left: tuple[Container, ...] = engine.containers(name, oneoff=True)
    if left:
        raise StackError(
            name,
            f"still there: {', '.join(each.name for each in left)}",
            hint="docker compose ls --all shows what runs",
        )

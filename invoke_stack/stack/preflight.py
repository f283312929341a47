"""What is checked before `stack.up` changes anything."""

from __future__ import annotations

import difflib
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from invoke_stack import events, sizes
from invoke_stack.compose import plugin
from invoke_stack.compose.variables import Variable
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.environment import layers
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import advice, ports

DISK_FLOOR = 1024**3
"""Free bytes below which an engine fails in the middle of things."""

VERSION = Command(("docker", "compose", "version", "--format", "json"), effect="read")


def compose_version(project: Project) -> str:
    """Return Compose's version.

    Raises:
        UsageError: no `docker`, no Compose plugin, or one that is too old.
    """
    done = project.runner.capture(VERSION, timeout_s=20)
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    if done.code != 0 or not found:
        raise plugin.absent(project)
    if tuple(int(part) for part in found.groups()) < plugin.FLOOR:
        raise plugin.too_old(found[0])
    return found[0]


def services(declared: Declared, chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the services to start: the chosen ones and what they depend on, or all.

    Raises:
        UsageError: a name that the compose files do not declare, or nothing to start.
    """
    active = declared.active()
    for name in chosen:
        if name not in declared.model.services:
            raise no_such_service(project_files(declared), declared.model.services, name)
    if not chosen and not active:
        raise UsageError(
            declared.mode.flag,
            "no service is active in this mode",
            hint=f"profiles in the compose files: {', '.join(declared.model.profiles())}"
            if declared.model.profiles()
            else f"write one below `services:` in {project_files(declared)}",
        )
    wanted = list(chosen or active)
    for name in wanted:
        body = declared.model.services.get(name)
        wanted += [each for each in (body.depends_on if body else ()) if each not in wanted]
    return tuple(sorted(set(wanted) & (set(active) | set(chosen))))


def no_such_service(where: str, names: Collection[str], name: str) -> UsageError:
    """Return the error for a service that does not exist, with the nearest one."""
    listed = f"services: {', '.join(sorted(names))}"
    near = difflib.get_close_matches(name, sorted(names), n=1)
    hint = f"did you mean {near[0]}? {listed}" if near else listed
    return UsageError(where, f"no such service: {name}", hint=hint)


def project_files(declared: Declared) -> str:
    """Return the compose files as a message names them."""
    return ", ".join(path.name for path in declared.files.paths)


def variables(project: Project, declared: Declared) -> None:
    """Require every `${NAME:?}` of the compose files at once.

    Raises:
        UsageError: one line for each missing variable.
    """
    if not declared.missing:
        return
    lines = tuple(_missing(each) for each in declared.missing)
    first, count = declared.missing[0], len(declared.missing)
    raise UsageError(
        f"{first.file}:{first.line}",
        f"{first.name} is required and not set"
        if count == 1
        else f"{count} required variables are not set",
        hint=advice.unset(project, declared),
        detail=lines if count > 1 or first.message else (),
    )


def _missing(variable: Variable) -> str:
    reason = f": {variable.message}" if variable.message else ""
    return f"{variable.file}:{variable.line}: {variable.name}{reason}"


def env_files(project: Project, declared: Declared, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return notes on env files that services name and nobody wrote yet.

    Raises:
        UsageError: a required one is missing and no template stands for it.
    """
    notes = []
    for name in wanted:
        for entry in declared.model.services[name].env_files:
            path = Path(entry.path)
            if path.exists() and not path.is_file():
                raise UsageError(
                    name,
                    f"env_file {project.shown(path)} is not a file",
                    hint="move what is there out of the way and write the file",
                )
            if path.exists() or not entry.required:
                continue
            template = _template(project, declared, path)
            if template is None:
                raise UsageError(
                    name,
                    f"env_file {project.shown(path)} does not exist and has no template",
                    hint=f"write it, or a template {path.name}.example and then: "
                    f"{advice.init(declared)}, or mark it `required: false` in "
                    f"{project_files(declared)}",
                )
            notes.append(
                f"{project.shown(path)} is not there yet, {name} runs on the compose files' "
                f"defaults: {advice.init(declared)} makes it from {project.shown(template)}"
            )
    return tuple(dict.fromkeys(notes))


def _template(project: Project, declared: Declared, path: Path) -> Path | None:
    """Return the template of an env file: beside it, or the one that no file claims."""
    beside = layers.templates(path.parent)
    if path.name in beside:
        return beside[path.name]
    folders = {path.parent, project.root, declared.files.folder}
    left = [each for folder in sorted(folders) for each in layers.leftover(folder).values()]
    return left[0] if len(left) == 1 else None


def published(project: Project, declared: Declared, engine: Docker, wanted: Sequence[str]) -> None:
    """Require every published port to be free or ours.

    Raises:
        UsageError: a container or process holds one; says which, and what to change.
    """
    asked = [port for name in wanted for port in declared.model.services[name].ports]
    ports.impossible(declared, asked)
    found = ports.taken(
        project, asked, engine.publishers(), name=declared.name, local=engine.endpoint.local
    )
    if found:
        raise ports.error(declared, found)


def doubled(project: Project, declared: Declared, report: events.Report) -> None:
    """Warn about an override that adds a published port where it means to replace it."""
    for service, target, numbers in ports.doubled(declared):
        last = project.shown(declared.files.paths[-1])
        report(
            events.Warned(
                f"{service}: container port {target} is published on "
                f"{' and '.join(str(each) for each in numbers)}, because Compose adds the "
                f"override's ports to the base file's",
                f'to replace them write in {last}: ports: !override ["{numbers[-1]}:{target}"]',
            )
        )


def disk(engine: Docker) -> None:
    """Require some free space where a local engine keeps its data.

    Raises:
        StackError: less than a gibibyte is free.
    """
    folder = engine.data_folder()
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    if free < DISK_FLOOR:
        raise StackError(
            "docker",
            f"{sizes.shown(free)} free in {folder}, at least {sizes.shown(DISK_FLOOR)} are needed",
            hint="free some with: docker image prune",
        )


def orphans(declared: Declared, found: Sequence[Container]) -> tuple[str, ...]:
    """Return running services of the project that this mode does not have."""
    active = declared.active()
    return tuple(sorted({each.service for each in found if each.service not in active}))

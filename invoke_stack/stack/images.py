"""Images that a `stack.up` needs: built or pulled before anything is started."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from invoke_stack import events, files
from invoke_stack.compose import commands
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.model import HealthCheck, Service
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

BUILDS = "builds.json"


@dataclass(frozen=True, slots=True)
class Needed:
    """Services whose image has to be made or fetched first."""

    build: tuple[str, ...]
    pull: tuple[str, ...]


def reference(declared: Declared, service: Service) -> str:
    """Return the image of a service; Compose names a built one after project and service."""
    return service.image or f"{declared.name}-{service.name}"


def needed(  # noqa: PLR0913 - two flags and what they act on
    project: Project,
    declared: Declared,
    engine: Docker,
    wanted: Sequence[str],
    *,
    build: bool,
    pull: bool,
) -> Needed:
    """Return what to build and pull.

    A built image is made again when its `build:` section is not the one it was made from:
    two modes share one image name, and the image of one must not run as the other.

    Args:
        project: whose state folder remembers the builds.
        declared: the stack.
        engine: asked which images it has.
        wanted: the services to start.
        build: build every service that can be built, not only missing images.
        pull: pull every image, not only missing ones.
    """
    known = files.read_json(project.root / ".invoke-stack" / BUILDS)
    to_build, to_pull = [], []
    for service in (declared.model.services[name] for name in wanted):
        stored = engine.image_id(reference(declared, service))
        if not service.built:
            to_pull += [service.name] if pull or not stored else []
        elif build or not stored or known.get(service.name) != _made(service, stored):
            to_build.append(service.name)
    return Needed(tuple(to_build), tuple(to_pull))


def remember(project: Project, declared: Declared, engine: Docker, built: Sequence[str]) -> None:
    """Write down from which `build:` section each image was made."""
    path = project.state / BUILDS
    made = {
        name: _made(service, engine.image_id(reference(declared, service)))
        for name, service in declared.model.services.items()
        if name in built
    }
    files.write(path, json.dumps(files.read_json(path) | made, indent=2, sort_keys=True) + "\n")


def elsewhere(project: Project, service: Service, image_id: str) -> bool:
    """Tell whether an image was built here from another `build:` section, as of another mode."""
    known = files.read_json(project.root / ".invoke-stack" / BUILDS).get(service.name) or {}
    return known.get("image") == image_id and known != _made(service, image_id)


def warn_elsewhere(
    project: Project, declared: Declared, service: Service, image_id: str, report: events.Report
) -> None:
    """Say that a stored image is not what the mode declares."""
    if elsewhere(project, service, image_id):
        mode, tag = declared.mode.name, reference(declared, service)
        what = f"{tag} was not built from what {mode} declares: another mode's image"
        report(events.Warned(what, f"inv image.build --mode {mode}"))


def _made(service: Service, image_id: str) -> dict[str, str]:
    """Return what identifies a build; its arguments may be secret, so only their hash."""
    digest = hashlib.sha256(service.build.encode()).hexdigest()
    return {"build": digest, "image": image_id}


def provide(project: Project, call: ComposeCall, wanted: Needed, report: events.Report) -> None:
    """Pull and build.

    Raises:
        StackError: the registry or the build failed, with the last lines of output.
    """
    if wanted.pull:
        report(events.Step(f"pulling {', '.join(wanted.pull)}"))
        code, tail = _watched(project, commands.pull(call, wanted.pull), "pull", report)
        if code:
            raise StackError(
                ", ".join(wanted.pull),
                "the image could not be pulled",
                hint="check the name and the network; docker login for a private registry",
                detail=_last(tail, 6),
            )
    if wanted.build:
        report(events.Step(f"building {', '.join(wanted.build)}"))
        code, tail = _watched(project, commands.build(call, wanted.build), "build", report)
        if code:
            raise build_error(wanted.build, tail)


def checks(declared: Declared, engine: Docker, wanted: Sequence[str]) -> dict[str, HealthCheck]:
    """Return the health check of each service: the compose file's, else its image's own."""
    found = {}
    for name in wanted:
        service = declared.model.services[name]
        own = service.health
        if own is None and not service.unchecked:
            own = engine.image_check(reference(declared, service))
        if own is not None:
            found[name] = own
    return found


def build_error(services: Sequence[str], tail: Sequence[str]) -> StackError:
    """Return the error of a failed build: the failing step and what it printed last."""
    if absent := next((m for line in reversed(tail) if (m := _ABSENT.search(line))), None):
        found = next(filter(None, absent.groups()))
        hint = "write it, or correct `context:` and `dockerfile:` below `build:`"
        return UsageError(", ".join(services), f"nothing to build from: no {found}", hint=hint)
    step = next((m for line in reversed(tail) if (m := _FAILED.search(line))), None)
    other = next((m for line in reversed(tail) if (m := _REASON.search(line))), None)
    reason = f" at: {step[1]}" if step else f": {other[1]}" if other else ""
    # Without a failing program, what the programs before it printed explains nothing.
    output = [line for line in tail if step and _OUTPUT.match(line)] or list(tail)
    return StackError(
        ", ".join(services),
        f"the build failed{reason}",
        hint="correct the Dockerfile step, then run the task again",
        detail=_last(output, 12),
    )


_FAILED = re.compile(r"(?:failed to solve: )?process \"(?:/bin/sh -c )?(.+?)\" did not complete")
_REASON = re.compile(r"failed to solve: (.+)")
_ABSENT = re.compile(
    r"failed to read dockerfile: open (\S+): no such file|"
    r"unable to prepare context: path \"(.+?)\" not found|^resolve : lstat (.+): no such file"
)
_OUTPUT = re.compile(r"^#\d+ \d+\.\d+ ")


def _watched(
    project: Project, command: Command, source: str, report: events.Report
) -> tuple[int, tuple[str, ...]]:
    with project.runner.start(command) as running:
        while True:
            try:
                code: int | None = running.wait(0.2)
            except TimeoutError:
                code = None
            for line in filter(None, running.fresh()):
                report(events.Line(source, line))
            if code is not None:
                return code, running.tail


def _last(lines: Sequence[str], count: int) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip())[-count:]

"""A container made from a build stage: for a database and a Prisma that only the stack has.

Runtime images leave Prisma out; the stage that built them has it. A generated compose file makes
the service that stage, with an image name of its own; everything else about it stays.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.model import Service
from invoke_stack.database.migrating import Place
from invoke_stack.prisma import inside
from invoke_stack.prisma.inside import Found
from invoke_stack.prisma.package import Package
from invoke_stack.project import Project

NAME = "prisma.json"
BUILD_S = 1800
RUN_S = 60
_STAGE = re.compile(r"(?im)^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)")
LIKELY = ("builder", "build", "dev", "development", "migrate", "deps", "dependencies", "base")


@dataclass(frozen=True, slots=True)
class Made:
    """A service whose image is a stage that has Prisma, and the Compose call that knows it."""

    call: ComposeCall
    found: Found
    service: str
    stage: str


@contextmanager
def made(project: Project, place: Place, package: Package) -> Iterator[Made | None]:
    """Yield a Compose call with a service whose image has Prisma, or None.

    The first of the built services' likely stages that has it is taken.
    """
    path = project.root / ".invoke-stack" / NAME
    try:
        if project.dry or place.container_engine is None:
            yield None
            return
        with place.compose() as base:
            yield _first(project, place, package, base, project.state / NAME)
    finally:
        path.unlink(missing_ok=True)


def stages(dockerfile: str) -> tuple[str, ...]:
    """Return the stages of a Dockerfile that may have Prisma, the likeliest first."""
    names = _STAGE.findall(dockerfile)
    return tuple(each for likely in LIKELY for each in names if each.lower() == likely)


def document(name: str, service: str, stage: str) -> dict[str, Any]:
    """Return the compose file that turns a service into one of its build stages."""
    body = {"build": {"target": stage}, "image": f"{name}-{service}-{stage}"}
    return {"services": {service: body}}


def _first(
    project: Project, place: Place, package: Package, base: ComposeCall, path: Path
) -> Made | None:
    for service in place.declared.active().values():
        for stage in stages(_dockerfile(service)):
            files.write(path, json.dumps(document(place.declared.name, service.name, stage)))
            call = dataclasses.replace(base, files=(*base.files, path))
            if found := _tried(project, call, service.name, package):
                return Made(call, found, service.name, stage)
    return None


def _tried(project: Project, call: ComposeCall, service: str, package: Package) -> Found | None:
    build = call.command("build", "--quiet", service)
    if project.runner.capture(build, timeout_s=BUILD_S).code:
        return None
    program, *words = inside.probe_words(project, package)
    flags = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", program, service)
    done = project.runner.capture(call.command(*flags, *words), timeout_s=RUN_S)
    return inside.read(done.stdout) if done.code == 0 else None


def _dockerfile(service: Service) -> str:
    if not service.built:
        return ""
    build = json.loads(service.build)
    if not isinstance(build, dict):
        build = {"context": build}
    if "dockerfile_inline" in build:
        return str(build["dockerfile_inline"])
    path = Path(str(build.get("context") or ".")) / str(build.get("dockerfile") or "Dockerfile")
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # a context from the network
        return ""

"""A container made from a build stage: for a database and a Prisma that only the stack has.

Runtime images leave Prisma out; the stage that built them has it. That stage is built under a
name of its own, from a generated compose file that repeats the service's `build:` section.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from invoke_stack import files
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.model import Service
from invoke_stack.database.migrating import Place
from invoke_stack.prisma import inside
from invoke_stack.prisma.inside import Found
from invoke_stack.prisma.package import Package
from invoke_stack.project import Project

SERVICE = "invoke-stack-prisma"
"""The service that the generated compose file adds."""

NAME = "prisma.json"
Made: TypeAlias = tuple[ComposeCall, Found, str]
BUILD_S = 1800
RUN_S = 60
_STAGE = re.compile(r"(?im)^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)")
LIKELY = ("builder", "build", "dev", "development", "migrate", "deps", "dependencies", "base")


@contextmanager
def made(project: Project, place: Place, package: Package) -> Iterator[Made | None]:
    """Yield a Compose call with a service whose image has Prisma, or None.

    The first of the built services' likely stages that has it is taken.
    """
    path = project.root / ".invoke-stack" / NAME
    try:
        if project.dry or place.docker is None:
            yield None
            return
        with place.compose() as base:
            yield _first(project, place, package, base, project.state / NAME)
    finally:
        path.unlink(missing_ok=True)  # build arguments may be secret


def stages(dockerfile: str) -> tuple[str, ...]:
    """Return the stages of a Dockerfile that may have Prisma, the likeliest first."""
    names = _STAGE.findall(dockerfile)
    return tuple(each for likely in LIKELY for each in names if each.lower() == likely)


def document(name: str, service: Service, stage: str) -> dict[str, Any]:
    """Return the compose file that adds a service for a build stage of another one."""
    build = {**json.loads(service.build), "target": stage}
    image = f"{name}-{service.name}-{stage}"
    body = {"build": build, "image": image, "profiles": [SERVICE], "restart": "no"}
    return {"services": {SERVICE: body}}


def _first(
    project: Project, place: Place, package: Package, base: ComposeCall, path: Path
) -> Made | None:
    for service in place.declared.active().values():
        for stage in stages(_dockerfile(service)):
            text = json.dumps(document(place.declared.name, service, stage))
            files.write(path, text.replace("$", "$$"))
            call = dataclasses.replace(base, files=(*base.files, path))
            if found := _tried(project, call, package):
                return call, found, f"a container of {service.name}'s stage {stage}"
    return None


def _tried(project: Project, call: ComposeCall, package: Package) -> Found | None:
    build = call.command("build", "--quiet", SERVICE)
    if project.runner.capture(build, timeout_s=BUILD_S).code:
        return None
    program, *words = inside.probe_words(project, package)
    flags = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", program, SERVICE)
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

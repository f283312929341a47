"""What the embedded engine does not run, and what to do instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from invoke_stack.compose.model import Service
from invoke_stack.compose.tolerant import mapping
from invoke_stack.environment.declared import Declared
from invoke_stack.prisma import managers
from invoke_stack.project import Project

SCRIPTS = ("dev", "start:dev", "start", "serve")


def lines(project: Project, declared: Declared, names: Sequence[str]) -> tuple[str, ...]:
    """Return a line for each service that needs a container: how to run it without one."""
    return tuple(
        f"{name} is not started without Docker; {instead(project, declared.model.services[name])}"
        for name in names
    )


def instead(project: Project, service: Service) -> str:
    """Return how to have a service without Docker."""
    if not service.built:
        return f"nothing here runs {service.image}"
    folder = context(service)
    script = _script(folder)
    if not script:
        return f"run it yourself with its values: inv env.run --service {service.name} -- COMMAND"
    manager = managers.find(project, folder).name
    where = "" if folder == project.root else f" --dir {shlex.quote(project.shown(folder))}"
    call = f"inv env.run --service {service.name}{where} -- {manager} run {script}"
    return f"run it with: {call}"


def context(service: Service) -> Path:
    """Return the folder that a service is built from."""
    build = json.loads(service.build or "{}")
    return Path(build if isinstance(build, str) else str(mapping(build).get("context") or "."))


def _script(folder: Path) -> str:
    """Return the script of a package that starts it for development, or ""."""
    try:
        known = mapping(json.loads((folder / "package.json").read_text("utf-8"))).get("scripts")
    except (OSError, ValueError):
        return ""
    return next((name for name in SCRIPTS if name in mapping(known)), "")

"""What the embedded engine does not run, and what to do instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from invoke_stack.compose.model import Service
from invoke_stack.compose.tolerant import mapping
from invoke_stack.environment.declared import Declared
from invoke_stack.modes import Mode
from invoke_stack.prisma import managers
from invoke_stack.project import Project

SCRIPTS = ("dev", "start:dev", "start", "serve")
BUILT = ("start:prod", "start", "serve")
"""Scripts that start what was built, for modes in which Node runs as in production."""


def lines(project: Project, declared: Declared, names: Sequence[str]) -> tuple[str, ...]:
    """Return a line for each service that needs a container: how to run it without one."""
    return tuple(
        f"{name} is not started without Docker; "
        f"{instead(project, declared.model.services[name], declared.mode)}"
        for name in names
    )


def instead(project: Project, service: Service, mode: Mode) -> str:
    """Return how to have a service of a mode without Docker."""
    if not service.built:
        return f"nothing here runs {service.image}"
    folder = context(service)
    script = _script(folder, BUILT if mode.node == "production" else SCRIPTS)
    if not script:
        return f"run it yourself with its values: {_run(service, mode)} -- COMMAND"
    manager = managers.find(project, folder).name
    where = "" if folder == project.root else f" --dir {shlex.quote(project.shown(folder))}"
    return f"run it with: {_run(service, mode)}{where} -- {manager} run {script}"


def _run(service: Service, mode: Mode) -> str:
    return f"inv env.run{mode.suffix} --service {service.name}"


def context(service: Service) -> Path:
    """Return the folder that a service is built from."""
    build = json.loads(service.build or "{}")
    return Path(build if isinstance(build, str) else str(mapping(build).get("context") or "."))


def _script(folder: Path, names: Sequence[str]) -> str:
    """Return the first of these scripts that a package has, or ""."""
    try:
        known = mapping(json.loads((folder / "package.json").read_text("utf-8"))).get("scripts")
    except (OSError, ValueError):
        return ""
    return next((name for name in names if name in mapping(known)), "")

"""The Compose plugin of the Docker CLI: how new it has to be, and what to say without it."""

from __future__ import annotations

import shutil

from invoke_stack.errors import MissingProgramError, UsageError
from invoke_stack.project import Project

FLOOR = (2, 24, 4)
"""The first Compose that knows `!override` and optional env files."""

_INSTALL = "(docker-compose-plugin): https://docs.docker.com/compose/install/"


def absent(project: Project) -> MissingProgramError:
    """Return the error for a Docker CLI that has no `docker compose`."""
    message = "the Compose plugin is not installed"
    if shutil.which("docker-compose", path=project.environ.get("PATH", "")):
        message += "; docker-compose, which is, is another program and cannot stand in for it"
    hint = f"install Docker Compose {floor()} or newer {_INSTALL}"
    return MissingProgramError("docker compose", message, hint=hint)


def too_old(version: str) -> UsageError:
    """Return the error for a Compose of a version below the floor."""
    hint = f"update Docker Compose to {floor()} or newer {_INSTALL}"
    return UsageError("docker compose", f"version {version} is too old", hint=hint)


def floor() -> str:
    """Return the oldest version that will do, as people write it."""
    return ".".join(str(part) for part in FLOOR)

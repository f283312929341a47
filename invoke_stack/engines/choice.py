"""Which engine runs the stack: the setting's, else Docker where one answers, else the embedded.

Two databases with the same name are a trap, an empty one most of all. So a stack stays where its
data is: one that last ran on Docker is refused while Docker is stopped, and one whose data is with
the embedded engine goes on there when Docker answers one day.
"""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from invoke_stack import events, files
from invoke_stack.engines import endpoint
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.errors import RefusedError
from invoke_stack.project import Project

STATE = ".invoke-stack"
RECORD = "stack.json"
"""In the state folder: which stack was brought up last, and on which engine."""
DATA = "embedded"
"""In the state folder: the embedded engine's services, each with its `data` folder."""
TIMEOUT_S = 2

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOTHING_THERE = (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)
_EMBEDDED = "engine: embedded, on this machine without Docker"


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that was chosen.

    Attributes:
        name: which one.
        why: one line for people.
        said: whether the user has to be told, because no setting names the engine.
        where: the Docker engine's endpoint, where it was looked up on the way.
    """

    name: Literal["docker", "embedded"]
    why: str
    said: bool = False
    where: Endpoint | None = None


def chosen(project: Project) -> Choice:
    """Return the engine that runs this project's stack.

    A Docker engine that answers costs one connection to its socket more than opening it does.
    One on another machine (`ssh://…`, `tcp://box`) was named by the user and is always meant.

    Raises:
        RefusedError: the stack last ran on Docker, and Docker is stopped or gone.
        UsageError: the mode that was asked for does not exist.
        UnreachableError: the Docker context that was chosen does not exist.
    """
    named = project.settings.engine
    if named != "auto":
        return Choice("embedded" if named == "embedded" else "docker", f"setting engine: {named}")
    if _keeps_data(project):
        leave = _with("docker", project)
        why = f"engine: embedded, where this stack's data is; to leave it: {leave}"
        return Choice("embedded", why, said=True)
    path = project.environ.get("PATH", os.defpath)
    if shutil.which("docker", path=path) is None:
        return _without(project, "docker is not on PATH", "install Docker, or put it on PATH")
    where = endpoint.find(project)
    if answers(where):
        return Choice("docker", f"an engine answers at {where.url}", where=where)
    missing = f"no engine answers at {where.url}"
    return _without(project, missing, "start Docker Desktop, or: sudo systemctl start docker")


def embedded_before(project: Project) -> bool:
    """Tell, without asking anything, whether the stack is known to run on the embedded engine."""
    named = project.settings.engine
    return named == "embedded" or (named == "auto" and _keeps_data(project))


def tell(choice: Choice, report: events.Report) -> None:
    """Report the choice in one line where nobody asked for it."""
    if choice.said:
        report(events.Note(choice.why))


def answers(where: Endpoint) -> bool:
    """Tell whether something listens where an engine of this machine should.

    One that only refuses this user is there, and so is one that is too busy to accept.
    """
    parts = urlsplit(where.url)
    try:
        if parts.scheme == "npipe":
            return Path(parts.path.replace("/", "\\")).exists()
        if parts.scheme == "unix":
            return _connects_file(parts.path)
        return parts.hostname not in _LOOPBACK or _connects(parts)
    except _NOTHING_THERE:
        return False
    except (OSError, ValueError):  # a wrong port is for whoever opens the engine to tell
        return True


def _connects_file(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(TIMEOUT_S)
        probe.connect(path)
    return True


def _connects(parts: SplitResult) -> bool:
    address = parts.hostname or "localhost", parts.port or 2375
    with socket.create_connection(address, TIMEOUT_S):
        return True


def _without(project: Project, missing: str, start: str) -> Choice:
    """Return the embedded engine, unless the stack's data is with Docker."""
    last = files.read_json(project.root / STATE / RECORD)
    if last.get("project") and last.get("engine", "docker") == "docker":
        raise RefusedError(
            "docker",
            f"this stack last ran on Docker, and {missing}",
            hint=f"{start}; or go on without Docker, with an empty database: "
            f"{_with('embedded', project)}",
        )
    return Choice("embedded", f"{_EMBEDDED}: {missing}", said=True)


def _with(engine: str, project: Project) -> str:
    """Return the command that brings the stack up on an engine, in the mode that was asked for."""
    return f"INVSTACK_ENGINE={engine} inv stack.up{project.mode().suffix}"


def _keeps_data(project: Project) -> bool:
    last = files.read_json(project.root / STATE / RECORD)
    # Where the file is lost, the data itself tells: before there was a choice there was Docker.
    engine = last.get("engine", "docker" if last.get("project") else "embedded")
    if engine != "embedded":
        return False
    return any((project.root / STATE / DATA).glob("*/data"))

"""What is written down of an embedded service, so that any later run finds its process again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.engines.choice import DATA, STATE
from invoke_stack.engines.embedded.processes import Identity
from invoke_stack.engines.embedded.programs import Kind
from invoke_stack.project import Project

PREFIX = "embedded:"
"""How the ids of this engine's containers begin; the service's name follows."""

NAME = "service.json"
VOLUME = "volume.json"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a service's files lie."""

    folder: Path

    @property
    def data(self) -> Path:
        """The server's data."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.folder / "log"


@dataclass(frozen=True, slots=True)
class Record:
    """A service as it was started.

    Attributes:
        place: where its files lay when it was started; in a copy of the project it is another.
        volume: the named volume that its data stands for.
        target: the port inside the stack; ``port`` the one on 127.0.0.1.
        environment, command: what a container of it would have; they may hold secrets.
        programs: the folder of its server and clients.
        argv: the server's command line; ``config`` what it reads from its input.
        sockets: the folder of its socket, "" without one.
        account: user and group numbers that it runs as, None for the caller's.
        pid, born: its process, 0 while it does not run because we stopped it.
        started: seconds since the epoch.
    """

    service: str
    kind: Kind
    image: str
    place: str
    volume: str
    target: int
    port: int
    programs: str
    argv: tuple[str, ...]
    sockets: str
    account: tuple[int, int] | None
    environment: Mapping[str, str] = field(repr=False)
    command: tuple[str, ...] = field(repr=False)
    config: str = field(default="", repr=False)
    pid: int = 0
    born: str = ""
    started: float = 0.0

    @property
    def identity(self) -> Identity:
        """Its process."""
        return Identity(self.pid, self.born)

    @property
    def mark(self) -> str:
        """A word that changes with anything that needs a restart."""
        # Root starts it as the same user that it would run as without root.
        same = dataclasses.replace(self, pid=0, born="", started=0.0, account=None)
        text = json.dumps(dataclasses.asdict(same), sort_keys=True)
        return sha256(text.encode()).hexdigest()


def home(project: Project, service: str) -> Home:
    """Return where a service's files lie; nothing is created."""
    return Home(project.root / STATE / DATA / service)


def names(project: Project) -> tuple[str, ...]:
    """Return the services that have data or a record here, sorted."""
    found = (project.root / STATE / DATA).glob("*")
    return tuple(sorted(each.name for each in found if each.is_dir()))


def read(project: Project, service: str) -> Record | None:
    """Return what is written down of a service, or None: it was never started, or taken down."""
    document: dict[str, Any] = files.read_json(home(project, service).folder / NAME)
    known = {each.name for each in dataclasses.fields(Record)}
    values = {key: value for key, value in document.items() if key in known}
    try:
        for key in ("argv", "command"):
            values[key] = tuple(values.get(key) or ())
        values["account"] = tuple(values["account"]) if values.get("account") else None
        found = Record(**values)
    except TypeError:  # an unfinished, older or broken file
        return None
    if not _whole(found):
        return None
    if found.place == place(project, service):
        return found
    # In a copy of the project: the process and the socket are still the first one's.
    return dataclasses.replace(found, pid=0, born="", started=0.0, sockets="")


def place(project: Project, service: str) -> str:
    """Return where a service's files lie, for comparing."""
    return str(home(project, service).folder.resolve())


def _whole(found: Record) -> bool:
    """Tell whether what was read can be one that we wrote."""
    numbers = (found.pid, found.port, found.target, found.started, *(found.account or ()))
    words = (found.service, found.born, found.sockets, found.programs, found.image, found.config)
    texts = (*words, *found.argv, *found.command)
    return (
        all(isinstance(each, int | float) for each in numbers)
        and all(isinstance(each, str) for each in texts)
        and isinstance(found.environment, dict)
    )


def volume(project: Project, service: str) -> str:
    """Return the name of the volume that a service's data stands for."""
    known = files.read_json(home(project, service).folder / VOLUME)
    return str(known.get("name") or service)


def name_volume(project: Project, service: str, volume: str) -> None:
    """Write down which volume a service's data stands for; it outlives the record."""
    files.write(home(project, service).folder / VOLUME, json.dumps({"name": volume}) + "\n")


def write(project: Project, record: Record) -> None:
    """Write a service down, readable by the owner alone: it holds the service's secrets."""
    document = {"schema": 1, **dataclasses.asdict(record)}
    path = home(project, record.service).folder / NAME
    files.write(path, json.dumps(document, indent=2) + "\n")


def remove(project: Project, service: str) -> None:
    """Forget a service; its data stays."""
    (home(project, service).folder / NAME).unlink(missing_ok=True)

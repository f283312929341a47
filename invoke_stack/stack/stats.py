"""What the running services use right now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoke_stack import events, sizes
from invoke_stack.compose.tolerant import number
from invoke_stack.engines import docker, opening
from invoke_stack.engines.containers import Container
from invoke_stack.errors import UnreachableError
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import known

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Usage:
    """What one container uses.

    Attributes:
        cpu: share of one core in percent; two busy cores are 200.
        memory: bytes in use, without the file cache.
        limit: bytes it may use at most: its own limit, or the machine's memory.
        received, sent: bytes over its networks since it started.
        read, written: bytes from and to disks since it started.
        processes: how many run in it.
    """

    service: str
    container: str
    cpu: float
    memory: int
    limit: int
    received: int
    sent: int
    read: int
    written: int
    processes: int


def command(containers: Sequence[str]) -> Command:
    """Return the call that measures containers once, one JSON document a line."""
    argv = ("docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *containers)
    return Command(argv, effect="read")


def usage(
    project: Project, report: events.Report = events.silent, services: Sequence[str] = ()
) -> tuple[Usage, ...]:
    """Return what each running container of the project uses, the busiest first.

    Args:
        project: the project.
        report: told what is odd.
        services: only these.

    Raises:
        UsageError: a service that does not exist.
        UnreachableError: nothing of this project runs.
        StackError: the engine could not measure.
    """
    opening.docker_only(project, "stack.stats", "top and ps show what they use here")
    ours = known.find(project, report)
    with docker.connect(project) as engine:
        found = known.containers(project, ours, engine, oneoff=True)
    running = [each for each in known.chosen(ours, found, services) if each.running]
    if services and not running:
        hint = f"inv stack.up -s {services[0]}"
        raise UnreachableError(", ".join(services), "is not running", hint=hint)
    if not running:
        raise UnreachableError(ours.name, "nothing is running", hint="inv stack.up")
    done = project.runner.capture(command([each.id for each in running]), timeout_s=TIMEOUT_S)
    done.require("docker stats", "could not measure", hint="inv stack.ps")
    rows = read(done.stdout, running)
    return tuple(sorted(rows, key=lambda each: (-each.cpu, -each.memory, each.container)))


def read(text: str, containers: Sequence[Container]) -> Iterator[Usage]:
    """Yield the usage of the containers in the words of `docker stats`."""
    services = {each.id: each for each in containers}
    for line in text.splitlines():
        try:
            document = json.loads(line)
        except ValueError:  # a warning between the rows
            continue
        container = services.get(str(document.get("ID")))
        if container is not None:
            yield _usage(container, document)


def _usage(container: Container, document: Mapping[str, Any]) -> Usage:
    memory, limit = _pair(document.get("MemUsage"))
    received, sent = _pair(document.get("NetIO"))
    read_, written = _pair(document.get("BlockIO"))
    share = re.match(r"[\d.]+", str(document.get("CPUPerc")))
    return Usage(
        service=container.service,
        container=container.name,
        cpu=float(share[0]) if share else 0.0,
        memory=memory,
        limit=limit,
        received=received,
        sent=sent,
        read=read_,
        written=written,
        processes=number(document.get("PIDs")) or 0,
    )


def _pair(text: object) -> tuple[int, int]:
    """Return both sizes of `18.4MiB / 1.9GiB` in bytes; 0 for what is not measured (`--`)."""
    left, _, right = str(text).partition("/")
    return sizes.parse(left) or 0, sizes.parse(right) or 0

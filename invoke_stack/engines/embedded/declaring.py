"""From a declared service to what has to run for it on this machine."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from invoke_stack.compose import families
from invoke_stack.compose.model import Mount, Service
from invoke_stack.engines.embedded import postgres, redis
from invoke_stack.engines.embedded.programs import Kind
from invoke_stack.environment.declared import Declared, service_values, stack_view
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

LOOPBACKS = ("", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost")  # noqa: S104 - compared with
EXTENSIONS = {"postgis": "postgis", "pgvector": "vector", "timescaledb": "timescaledb"}
"""What images of PostgreSQL bring along: the name of the extension."""

DATA = ("/var/lib/postgresql", "/data", "/bitnami/redis/data", "/bitnami/postgresql")
"""Where images keep their data."""

_MAJOR = re.compile(r":(?:.*?\bpg|v)?(\d+)")

PLAIN = ("postgres", "postgresql", "redis", "valkey")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service that this engine runs.

    Attributes:
        major: the major version of its image, 0 where the tag does not say.
        port: the published port, 0 where none is.
        command: the declared words, the entrypoint's first; none for the image's own.
        environment: what its container would have.
        volume: the named volume that its data stands for.
        notes: what is different here.
    """

    service: str
    kind: Kind
    image: str
    major: int
    target: int
    port: int
    volume: str
    command: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    mounts: tuple[Mount, ...]
    notes: tuple[str, ...] = ()


def kind_of(service: Service) -> Kind | None:
    """Return which of our servers runs a service, or None."""
    if service.built:
        return None
    if families.is_database(service):
        return "postgres"
    return "redis" if families.is_cache(service) else None


def wanted(project: Project, declared: Declared, name: str) -> Wanted:
    """Return what has to run for a service of the stack.

    Raises:
        UsageError: it is none of PostgreSQL and Redis, or cannot run without a container.
    """
    service = declared.model.services[name]
    kind = kind_of(service)
    if kind is None:
        hint = "the embedded engine runs PostgreSQL and Redis; Docker runs all: start it"
        raise UsageError(name, f"{service.image or 'it'} needs Docker", hint=hint)
    target, port, notes = _ports(service, kind)
    volumes = service.volumes or (name,)
    return Wanted(
        service=name,
        kind=kind,
        image=service.image,
        major=major(service.image),
        target=target,
        port=port,
        volume=f"{declared.name}_{volumes[0]}",
        command=(*_words(service.entrypoint), *_words(service.command)),
        environment=environment(project, declared, service),
        mounts=service.mounts,
        notes=(*notes, *_image(service), *elsewhere(service)),
    )


def major(image: str) -> int:
    """Return the major version in an image's tag (`postgis:16-3.4`, `pgvector:0.8-pg16`), or 0."""
    found = _MAJOR.search(image.rpartition("/")[2].partition("@")[0])
    return int(found[1]) if found else 0


def environment(project: Project, declared: Declared, service: Service) -> dict[str, str]:
    """Return the environment that a container of the service would get from the files."""
    values: dict[str, str] = {}
    if service.env_files:
        found = service_values(project, declared, service)
        values = stack_view(project, found.exported(), found, declared.model.ports())
    for key, value in service.environment.items():
        known = declared.environ.get(key) if value is None else value
        if known is not None:
            values[key] = known
    return values


def free_port() -> int:
    """Return a port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((postgres.LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether nobody answers on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((postgres.LOOPBACK, port)) != 0


def _words(command: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a command's words; Compose leaves a text whole where it fills nothing in."""
    if command is None or len(command) != 1:
        return command or ()
    try:
        return tuple(shlex.split(command[0]))
    except ValueError:
        return command


def _ports(service: Service, kind: Kind) -> tuple[int, int, tuple[str, ...]]:
    """Return the port inside the stack, the published one, and what is different here."""
    own = postgres.PORT if kind == "postgres" else redis.PORT
    tcp = [each for each in service.ports if each.protocol == "tcp"]
    published = [each for each in tcp if each.published]
    if not published:
        target = tcp[0].target if tcp else own
        return target, 0, ()
    first, others = published[0], published[1:]
    notes = []
    if others:
        more = ", ".join(str(each.published) for each in others)
        notes.append(f"listens on {first.published} alone, not on {more}")
    if first.host not in LOOPBACKS:
        notes.append(f"listens on {postgres.LOOPBACK} alone, not on {first.host}")
    return first.target, first.published or 0, tuple(notes)


def elsewhere(service: Service) -> tuple[str, ...]:
    """Return what to say about data that a service keeps in a folder of the project on Docker."""
    return tuple(
        f"keeps its data below .invoke-stack, not in {mount.source}"
        for mount in service.mounts
        if mount.target.rstrip("/") in DATA or mount.target.startswith(f"{DATA[0]}/")
    )


def _image(service: Service) -> tuple[str, ...]:
    name = families.image_name(service.image)
    if name in PLAIN:
        return ()
    if name in EXTENSIONS:
        return ()  # whether the extension is here is seen once the programs are found
    return (f"{service.image} is not here: what it has beyond the plain server is missing",)

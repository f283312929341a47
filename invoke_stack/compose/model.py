"""The stack as Compose prints it: `docker compose config --format json`, read tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_stack.compose import ports, scalars
from invoke_stack.compose.ports import Port
from invoke_stack.compose.tolerant import mapping, number

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Timing of a health check, in seconds; the engine's defaults where nothing is declared."""

    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0

    @property
    def deadline_s(self) -> float:
        """Seconds after the start when plain Compose would call the service unhealthy."""
        return self.start_period_s + self.retries * self.interval_s


@dataclass(frozen=True, slots=True)
class EnvFile:
    """One entry of a service's `env_file:`."""

    path: Path
    required: bool = True


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this machine that a service sees at ``target``."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class Service:
    """One entry under `services:`.

    Attributes:
        image: the image reference, or "" where Compose names the built one.
        build: the whole `build:` section as canonical JSON, "" where nothing is built.
        health: the declared health check; None where the image's own applies.
        unchecked: the health check is switched off (`disable: true` or `test: NONE`).
        depends_on: service name to condition.
        volumes: the named volumes it uses.
        mounts: what it sees of this machine's files.
        watched: it says what to do when its files change (`develop.watch`).
        environment: keys to values; None where Compose takes the caller's value.
        user: who runs it; "" where the image decides.
        entrypoint, command: the words of each; None where the image decides.
        probe: the health check's `test:`, its kind first; () without one.
    """

    name: str
    image: str = ""
    build: str = field(default="", repr=False)
    build_args: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    profiles: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    health: HealthCheck | None = None
    unchecked: bool = False
    depends_on: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    restart: str = ""
    volumes: tuple[str, ...] = ()
    watched: bool = False
    user: str = ""
    entrypoint: tuple[str, ...] | None = field(default=None, repr=False)
    command: tuple[str, ...] | None = field(default=None, repr=False)
    probe: tuple[str, ...] = field(default=(), repr=False)
    mounts: tuple[Mount, ...] = ()

    @property
    def built(self) -> bool:
        """Whether the service is built from a Dockerfile."""
        return bool(self.build)


@dataclass(frozen=True, slots=True)
class Model:
    """A whole stack."""

    name: str
    services: Mapping[str, Service]
    volumes: tuple[str, ...] = ()

    def ports(self) -> tuple[Port, ...]:
        """Every declared port of every service."""
        return tuple(port for service in self.services.values() for port in service.ports)

    def profiles(self) -> tuple[str, ...]:
        """Every profile that some service names, sorted."""
        return tuple(sorted({name for each in self.services.values() for name in each.profiles}))


def parse(document: Mapping[str, Any]) -> Model:
    """Return the model in Compose's JSON, interpolated or not."""
    services = mapping(document.get("services"))
    return Model(
        name=str(document.get("name") or ""),
        services={name: _service(name, mapping(body)) for name, body in services.items()},
        volumes=tuple(mapping(document.get("volumes"))),
    )


def mapped(tree: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON tree with every text in it changed; keys stay."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, Mapping):
        return {key: mapped(value, change) for key, value in tree.items()}
    if isinstance(tree, list):
        return [mapped(value, change) for value in tree]
    return tree


def seconds(duration: object) -> float:
    """Return a Go duration such as `1m30s` in seconds; 0 when there is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(str(duration)))


def _service(name: str, body: Mapping[str, Any]) -> Service:
    health = mapping(body.get("healthcheck"))
    test = health.get("test")
    off = bool(health.get("disable")) or test in ("NONE", ["NONE"])
    build = body.get("build")
    return Service(
        name=name,
        image=str(body.get("image") or ""),
        build="" if build is None else json.dumps(build, sort_keys=True),
        build_args=_environment(mapping(build).get("args")),
        profiles=tuple(body.get("profiles") or ()),
        ports=tuple(ports.read(name, body.get("ports") or ())),
        env_files=tuple(_env_files(body.get("env_file"))),
        health=_health(health) if test and not off else None,
        unchecked=off,
        depends_on=_depends_on(body.get("depends_on")),
        environment=_environment(body.get("environment")),
        restart=str(body.get("restart") or ""),
        volumes=tuple(_volumes(body.get("volumes") or ())),
        watched=bool(mapping(body.get("develop")).get("watch")),
        user=str(body.get("user") or ""),
        entrypoint=_words(body.get("entrypoint")),
        command=_words(body.get("command")),
        probe=() if off else _probe(test),
        mounts=tuple(_mounts(body.get("volumes") or ())),
    )


def _words(value: Any) -> tuple[str, ...] | None:
    """Return the words of a command; Compose prints a list, whatever the file has."""
    if value is None or isinstance(value, str):
        return (value,) if value else None
    return tuple(str(each) for each in value)


def _probe(value: Any) -> tuple[str, ...]:
    return ("CMD-SHELL", value) if isinstance(value, str) else _words(value) or ()


def _volumes(entries: Any) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("type") == "volume" and entry.get("source"):
            yield str(entry["source"])


def _mounts(entries: Any) -> Iterator[Mount]:
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("type") == "bind" and entry.get("source"):
            yield Mount(Path(str(entry["source"])), str(entry.get("target") or ""))


def _health(body: Mapping[str, Any]) -> HealthCheck:
    plain = HealthCheck()
    return HealthCheck(
        interval_s=seconds(body.get("interval")) or plain.interval_s,
        timeout_s=seconds(body.get("timeout")) or plain.timeout_s,
        retries=number(body.get("retries")) or plain.retries,
        start_period_s=seconds(body.get("start_period")),
    )


def _env_files(value: Any) -> Iterator[EnvFile]:
    for entry in [value] if isinstance(value, str) else value or ():
        if isinstance(entry, Mapping):
            yield EnvFile(Path(str(entry.get("path"))), entry.get("required") is not False)
        else:
            yield EnvFile(Path(str(entry)))


def _depends_on(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {
            str(name): str(mapping(body).get("condition") or "service_started")
            for name, body in value.items()
        }
    return {str(name): "service_started" for name in value or ()}


def _environment(value: Any) -> dict[str, str | None]:
    pairs: dict[str, Any] = {}
    if isinstance(value, Mapping):
        pairs.update(value)
    else:
        for entry in value or ():
            key, equals, text = str(entry).partition("=")
            pairs[key] = text if equals else None
    return {key: None if v is None else scalars.text(v) for key, v in pairs.items()}

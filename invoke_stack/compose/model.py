"""The stack as Compose prints it: `docker compose config --format json`, read tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
# A part of a short port; the colons inside `${…}` and `[…]` separate nothing.
_PORT_PART = re.compile(r"(?:\$\{(?:\{[^{}]*\}|[^{}])*\}|\[[^\]]*\]|[^:])+")


@dataclass(frozen=True, slots=True)
class Port:
    """A container port; ``published`` is None where the engine chooses or nothing is published."""

    service: str
    target: int
    published: int | None
    protocol: str = "tcp"
    host: str = ""


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
class Service:
    """One entry under `services:`.

    Attributes:
        image: the image reference, or "" where Compose names the built one.
        build: the whole `build:` section as canonical JSON, "" where nothing is built.
        health: the declared health check; None where the image's own applies.
        unchecked: the health check is switched off (`disable: true` or `test: NONE`).
        depends_on: service name to condition.
        environment: keys to values; None where Compose takes the caller's value.
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
    """Return the model in Compose's JSON, whose `$` are already single (see `unescaped`)."""
    services = _mapping(document.get("services"))
    return Model(
        name=str(document.get("name") or ""),
        services={name: _service(name, _mapping(body)) for name, body in services.items()},
        volumes=tuple(_mapping(document.get("volumes"))),
    )


def port_variables(document: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    """Return which variable decides a published port, by service and container port.

    ``document`` is Compose's JSON before interpolation.
    """
    found = {}
    for name, body in _mapping(document.get("services")).items():
        for entry in _mapping(body).get("ports") or ():
            if isinstance(entry, Mapping):
                published, target = str(entry.get("published")), str(entry.get("target"))
            else:
                *_, published, target = ("", *_PORT_PART.findall(str(entry).partition("/")[0]))
            variable = re.search(r"\$\{?(\w+)", published)
            if variable and target.isdigit():
                found[name, int(target)] = variable[1]
    return found


def mapped(tree: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON tree with every text in it changed; keys stay."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, Mapping):
        return {key: mapped(value, change) for key, value in tree.items()}
    if isinstance(tree, list):
        return [mapped(value, change) for value in tree]
    return tree


def unescaped(text: str) -> str:
    """Return a text of `docker compose config` as it is meant: it doubles every `$`."""
    return text.replace("$$", "$")


def seconds(duration: object) -> float:
    """Return a Go duration such as `1m30s` in seconds; 0 when there is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(str(duration)))


def _service(name: str, body: Mapping[str, Any]) -> Service:
    health = _mapping(body.get("healthcheck"))
    test = health.get("test")
    off = bool(health.get("disable")) or test in ("NONE", ["NONE"])
    build = body.get("build")
    return Service(
        name=name,
        image=str(body.get("image") or ""),
        build="" if build is None else json.dumps(build, sort_keys=True),
        build_args=_environment(_mapping(build).get("args")),
        profiles=tuple(body.get("profiles") or ()),
        ports=tuple(_ports(name, body.get("ports") or ())),
        env_files=tuple(_env_files(body.get("env_file"))),
        health=_health(health) if test and not off else None,
        unchecked=off,
        depends_on=_depends_on(body.get("depends_on")),
        environment=_environment(body.get("environment")),
        restart=str(body.get("restart") or ""),
    )


def _health(body: Mapping[str, Any]) -> HealthCheck:
    plain = HealthCheck()
    return HealthCheck(
        interval_s=seconds(body.get("interval")) or plain.interval_s,
        timeout_s=seconds(body.get("timeout")) or plain.timeout_s,
        retries=_number(body.get("retries")) or plain.retries,
        start_period_s=seconds(body.get("start_period")),
    )


def _ports(service: str, entries: Any) -> Iterator[Port]:
    for entry in entries:
        if isinstance(entry, Mapping):
            yield from _long_port(service, entry)
        else:
            yield from _short_port(service, str(entry))


def _long_port(service: str, entry: Mapping[str, Any]) -> Iterator[Port]:
    target = _number(entry.get("target")) or 0
    protocol, host = str(entry.get("protocol") or "tcp"), str(entry.get("host_ip") or "")
    # A range ("8000-8010") lets the engine choose, like no number at all.
    yield Port(service, target, _number(entry.get("published")), protocol, host)


def _short_port(service: str, text: str) -> Iterator[Port]:
    """Read `[host:][published:]target[/protocol]`, as `--no-interpolate` prints it."""
    spec, _, protocol = text.partition("/")
    parts = re.match(r"^(?:(?P<host>.*):)?(?:(?P<published>[^:]*):)(?P<target>[^:]+)$", spec)
    target = parts["target"] if parts else spec
    published = parts["published"] if parts else ""
    for index, number in enumerate(_range(target)):
        numbers = _range(published)
        chosen = numbers[index] if index < len(numbers) else None
        host = (parts["host"] or "") if parts else ""
        yield Port(service, number, chosen, protocol or "tcp", host.strip("[]"))


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return []
    return list(range(int(first), int(last or first) + 1)[:65536])


def _env_files(value: Any) -> Iterator[EnvFile]:
    for entry in [value] if isinstance(value, str) else value or ():
        if isinstance(entry, Mapping):
            yield EnvFile(Path(str(entry.get("path"))), entry.get("required") is not False)
        else:
            yield EnvFile(Path(str(entry)))


def _depends_on(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {
            str(name): str(_mapping(body).get("condition") or "service_started")
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
    return {key: None if v is None else str(v) for key, v in pairs.items()}


def _number(value: Any) -> int | None:
    """Return a positive number; None for anything else, a reference without a value included."""
    return int(value) or None if str(value).isdecimal() else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

"""What the engine says about a container, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from invoke_stack.compose.model import HealthCheck
from invoke_stack.redaction import is_sensitive

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
FOLDER = "com.docker.compose.project.working_dir"
ONEOFF = "com.docker.compose.oneoff"
MODE = "dev.invoke-stack.mode"

Health = Literal["", "starting", "healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume; ``size`` is in bytes, -1 where the engine does not say."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Binding:
    """A published port of a running container."""

    target: int
    published: int
    protocol: str
    host: str


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a Compose project.

    Attributes:
        state: the engine's word (`running`, `exited`, `restarting`, …).
        health: the health status, or "" where nothing is checked.
        health_log: output of the last probes, oldest first.
        secrets: values in its environment that must not be shown.
        check: the timing that the container really has, or None.
        restarts: how often the restart policy has started it again.
        started_at: seconds since the epoch, 0 when it never ran.
    """

    id: str
    name: str
    project: str
    service: str
    folder: str
    image: str
    state: str
    health: Health
    exit_code: int
    error: str
    restarts: int
    started_at: float
    oneoff: bool
    mode: str
    bindings: tuple[Binding, ...]
    health_log: tuple[str, ...]
    check: HealthCheck | None
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def running(self) -> bool:
        """Whether a process can be started in it."""
        return self.state == "running"


def from_inspect(document: Mapping[str, Any]) -> Container:
    """Return the container in the engine's own JSON; a missing key is an empty value."""
    config, state = document.get("Config") or {}, document.get("State") or {}
    labels, health = config.get("Labels") or {}, state.get("Health") or {}
    status = str(health.get("Status") or "")
    return Container(
        id=str(document.get("Id") or ""),
        name=str(document.get("Name") or "").lstrip("/"),
        project=labels.get(PROJECT, ""),
        service=labels.get(SERVICE, ""),
        folder=labels.get(FOLDER, ""),
        image=str(config.get("Image") or ""),
        state=str(state.get("Status") or ""),
        health=status if status in ("starting", "healthy", "unhealthy") else "",  # type: ignore[arg-type]
        exit_code=int(state.get("ExitCode") or 0),
        error=str(state.get("Error") or ""),
        restarts=int(document.get("RestartCount") or 0),
        started_at=_epoch(state.get("StartedAt")),
        oneoff=str(labels.get(ONEOFF, "")).casefold() == "true",
        mode=labels.get(MODE, ""),
        bindings=_bindings((document.get("NetworkSettings") or {}).get("Ports") or {}),
        health_log=tuple(str(e.get("Output") or "").strip() for e in health.get("Log") or ()),
        check=check(config.get("Healthcheck")),
        secrets=_secrets(config.get("Env") or ()),
    )


def _secrets(environment: Iterable[str]) -> tuple[str, ...]:
    pairs = (entry.partition("=")[::2] for entry in environment)
    return tuple(value for key, value in pairs if value and is_sensitive(key, value))


def check(document: Mapping[str, Any] | None) -> HealthCheck | None:
    """Return the timing of an image's or container's health check, or None without one."""
    test = (document or {}).get("Test") or []
    if not document or not test or test[0] == "NONE":
        return None
    plain = HealthCheck()
    return HealthCheck(
        interval_s=_nanoseconds(document.get("Interval")) or plain.interval_s,
        timeout_s=_nanoseconds(document.get("Timeout")) or plain.timeout_s,
        retries=int(document.get("Retries") or plain.retries),
        start_period_s=_nanoseconds(document.get("StartPeriod")),
    )


def _nanoseconds(value: object) -> float:
    return value / 1e9 if isinstance(value, int) else 0.0


def _epoch(text: object) -> float:
    """Return the engine's time stamp in seconds, 0 for none."""
    stamp = str(text or "")
    if stamp.startswith("0001"):
        return 0.0
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:  # nothing, or a form that no engine writes today
        return 0.0


def _bindings(ports: Mapping[str, Any]) -> tuple[Binding, ...]:
    found = {
        Binding(
            int(target), int(each["HostPort"]), protocol or "tcp", str(each.get("HostIp") or "")
        )
        for name, entries in ports.items()
        for target, _, protocol in [name.partition("/")]
        for each in entries or ()
        if str(each.get("HostPort") or "").isdigit()
    }
    return tuple(sorted(found, key=lambda each: (each.target, each.published, each.host)))

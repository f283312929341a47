"""What runs now: `stack.ps` and `stack.urls`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from invoke_stack import events
from invoke_stack.compose import families
from invoke_stack.compose.model import Model, Service
from invoke_stack.engines.containers import Binding, Container
from invoke_stack.project import Project
from invoke_stack.stack import known, state


@dataclass(frozen=True, slots=True)
class Url:
    """A published port of a running service and what answers there."""

    service: str
    host: str
    published: int
    target: int
    protocol: str
    url: str
    what: str


@dataclass(frozen=True, slots=True)
class Status:
    """The project's containers."""

    project: str
    mode: str
    engine: str
    services: tuple[Container, ...]
    urls: tuple[Url, ...]

    def document(self) -> dict[str, Any]:
        """Return the JSON that `stack.ps --json` prints."""
        return {
            "schema": 1,
            "project": self.project,
            "mode": self.mode,
            "engine": self.engine,
            "services": [_row(each, self.urls) for each in self.services],
        }


def ps(
    project: Project, report: events.Report = events.silent, services: Sequence[str] = ()
) -> Status:
    """Return what runs of this project, and what ended.

    Args:
        project: the project.
        report: told what is odd.
        services: only these.

    Raises:
        UsageError: a service that does not exist.
        UnreachableError: no engine answers.
        RefusedError: the project's name belongs to another folder.
    """
    with known.opened(project, report) as (ours, engine):
        found = known.containers(project, ours, engine)
        shown = known.chosen(ours, found, services)
        return Status(
            project=ours.name,
            mode=state.running_mode(project, found),
            engine=engine.name,
            services=shown,
            urls=urls(ours.model, shown, engine.endpoint.host),
        )


def urls(model: Model, found: Sequence[Container], host: str) -> tuple[Url, ...]:
    """Return where the running services are reached from this machine."""
    rows = {}
    for container in found:
        service = model.services.get(container.service)
        body = service or Service(container.service, image=container.image)
        for each in container.bindings:
            name = host if each.host in ("", "0.0.0.0", "::") else each.host  # noqa: S104
            place = f"[{name}]" if ":" in name else name
            rows[container.name, each.target, each.published, each.protocol] = Url(
                container.service,
                name,
                each.published,
                each.target,
                each.protocol,
                f"{_scheme(body, each)}://{place}:{each.published}",
                families.describe(body),
            )
    return tuple(rows[key] for key in sorted(rows))


def _scheme(service: Service, binding: Binding) -> str:
    if binding.protocol != "tcp":
        return binding.protocol
    if families.is_database(service):
        return "postgresql"
    if families.is_cache(service):
        return "redis"
    return "https" if binding.target in (443, 8443) else "http"


def _row(container: Container, found: Sequence[Url]) -> dict[str, Any]:
    return {
        "name": container.service,
        "state": container.state,
        "health": container.health,
        "image": container.image,
        "exit_code": container.exit_code,
        "ports": [
            {
                "host": each.host,
                "published": each.published,
                "target": each.target,
                "protocol": each.protocol,
                "url": each.url,
            }
            for each in found
            if each.service == container.service
        ],
    }

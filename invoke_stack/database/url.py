"""`db.url`: the address of the database, from this machine or from inside the stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from invoke_stack.compose.model import Service
from invoke_stack.compose.ports import Port
from invoke_stack.database import keyed, provider, urls
from invoke_stack.database import target as targets
from invoke_stack.database.urls import Address
from invoke_stack.database.values import Login
from invoke_stack.engines.engine import Engine
from invoke_stack.environment import views
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.redaction import masked

VIEWS = ("host", "stack")


@dataclass(frozen=True, slots=True)
class Url:
    """An address; ``key`` is the variable that holds it, or ""."""

    key: str
    view: str
    text: str = field(repr=False)
    address: Address

    @property
    def masked(self) -> str:
        """The URL without its password."""
        return masked("DATABASE_URL", self.text)

    def document(self, *, reveal: bool) -> dict[str, Any]:
        """Return the JSON of `db.url`; the password is in ``url`` only when it is revealed."""
        return {
            "key": self.key or None,
            "view": self.view,
            "url": self.text if reveal else self.masked,
            "host": self.address.host,
            "port": int(self.address.port) if self.address.port.isdecimal() else None,
            "user": self.address.user,
            "database": self.address.database,
        }


def find(
    project: Project, declared: Declared, docker: Engine | None, key: str = "", view: str = "host"
) -> Url:
    """Return the URL of the stack's database, or of a variable, as one side reaches it.

    Args:
        project: the project.
        declared: its stack.
        docker: the engine; None where none answers: then the compose files alone speak.
        key: the variable; its URL stays as it is written, but for the host of this stack.
        view: "host" or "stack".

    Raises:
        UsageError: no such view, variable or database; a port that is not published.
    """
    if view not in VIEWS:
        raise UsageError("--view", f"no such view: {view}", hint="views: host, stack")
    text = keyed.written(project, declared, key).text if key else _own(project, declared, docker)
    shown = key or "db.url"
    extra = (*project.settings.env.rewrite, shown)
    ports = _ports(declared, docker)
    if view == "stack":
        text = views.to_stack(shown, text, ports, extra=extra)
    else:
        text = views.to_host(shown, text, ports, extra=extra, services=declared.model.services)
    return Url(key, view, text, urls.parse(text, shown))


def _own(project: Project, declared: Declared, docker: Engine | None) -> str:
    """Return the URL of the stack's service from inside the stack."""
    service = targets.service_of(project, declared)
    environment = {k: v for k, v in service.environment.items() if v is not None}
    container = targets.container_of(docker, declared.name, service.name) if docker else None
    if docker is not None and container is not None:
        # What it was made with is true also when the files have changed since.
        environment |= docker.environment(container.id)
    settings = project.settings.db
    login = provider.find(service, settings.providers).login(
        environment, settings.user, settings.name
    )
    project.secrets.learn([login.password] if login.password else [])
    return written(login, service)


def written(login: Login, service: Service) -> str:
    """Return the URL of a service inside its stack."""
    port = next((each.target for each in service.ports if each.target), int(urls.PORT))
    return urls.written(login, service.name, port)


def _ports(declared: Declared, docker: Engine | None) -> tuple[Port, ...]:
    """Return the ports as they are published now; of a service that does not run, as declared."""
    running = [
        each for each in (docker.containers(declared.name) if docker else ()) if each.running
    ]
    real = [
        Port(each.service, bound.target, bound.published, bound.protocol, bound.host)
        for each in running
        for bound in each.bindings
    ]
    names = {each.service for each in running}
    return (*real, *(each for each in declared.model.ports() if each.service not in names))

"""From a variable's URL to the database behind it: whose it is, and where its clients run.

A URL that leads into this stack, by a service's name or by a port that one of its running
containers publishes, is worked on inside that container: the server cannot be another one, such
as the far end of a tunnel on the same port. Anything else is reached with the programs of this
machine; where it has none, with those of the stack's database container.
"""

from __future__ import annotations

import dataclasses
import shutil

from invoke_stack.database import keyed
from invoke_stack.database import provider as providers
from invoke_stack.database import target as targets
from invoke_stack.database.keyed import Keyed
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.target import Target
from invoke_stack.database.values import Place
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.events import Note, Report, silent
from invoke_stack.project import Project

PROGRAMS = ("psql", "pg_dump", "pg_restore")
_BINDS = frozenset({"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"})  # noqa: S104


def find(
    project: Project,
    declared: Declared,
    docker: Docker | None,
    key: str = "",
    report: Report = silent,
) -> Target:
    """Return the stack's database, or the one that a variable's URL leads to.

    Args:
        project: the project.
        declared: its stack.
        docker: the engine; None where none answers, which a database elsewhere can do without.
        key: the variable, "" for the stack's own service.
        report: told when a pooler's URL was exchanged for a direct one.

    Raises:
        UsageError: no such database or variable, or no client program that could reach it.
        UnreachableError: its container does not run.
    """
    if key:
        found = keyed.find(project, declared, key)
        if found.note:
            report(Note(found.note))
        return at(project, declared, docker, found)
    try:
        service = targets.service_of(project, declared).name
    except UsageError as problem:
        known = [each.key for each in keyed.known(declared)]
        if not known or "no database" not in problem.message:
            raise
        hint = f"name the variable of the one you mean: --target {known[0]}"
        raise UsageError(problem.where, problem.message, hint=hint) from problem
    if docker is None:
        raise _no_engine(service)
    return targets.find(project, declared, docker)


def at(project: Project, declared: Declared, docker: Docker | None, found: Keyed) -> Target:
    """Return the database behind a URL."""
    inside = _in_stack(project, declared, docker, found)
    if inside is not None:
        return inside
    place = found.address.place
    container = "" if _installed(project) else _lent(project, declared, docker, place)
    login = found.address.login()
    shown = found.address.shown
    return Target(declared.name, "", container, Postgres(), login, place, shown, found.key)


def _in_stack(
    project: Project, declared: Declared, docker: Docker | None, found: Keyed
) -> Target | None:
    address = found.address
    port = int(address.port) if address.port.isdecimal() else 0
    named = declared.model.services.get(address.host)
    remote = docker is not None and not docker.endpoint.local
    service, target = (named.name, port) if named else ("", 0)
    if named is None and address.place == "loopback" and not remote:
        service, target = _publisher(project, declared, docker, port)
    if not service:
        return None
    if docker is None:
        raise _no_engine(service)
    container = targets.container_of(docker, declared.name, service)
    if container is None or not container.running:
        raise targets.stopped(service, container)
    own = providers.find(declared.model.services[service], project.settings.db.providers)
    login = address.login()
    variables = {**login.variables, "PGHOST": service, "PGPORT": str(target)}
    login = dataclasses.replace(login, variables=variables)
    return Target(declared.name, service, container.id, own, login, key=found.key)


def _publisher(
    project: Project, declared: Declared, docker: Docker | None, port: int
) -> tuple[str, int]:
    """Return the database service behind a port of this machine, and its own port."""
    services = declared.model.services
    running = [each for each in _containers(declared, docker) if each.running]
    for each in running:
        for bound in each.bindings:
            if bound.published == port and bound.host in _BINDS and each.service in services:
                return each.service, bound.target
    for name, service in services.items():
        if any(each.service == name for each in running):
            continue  # what it really publishes was looked at
        for declared_port in service.ports:
            if declared_port.published == port and targets.is_database(project, service):
                return name, declared_port.target
    return "", 0


def _containers(declared: Declared, docker: Docker | None) -> tuple[Container, ...]:
    return docker.containers(declared.name) if docker is not None else ()


def _installed(project: Project) -> bool:
    path = project.environ.get("PATH")
    return all(shutil.which(program, path=path) for program in PROGRAMS)


def _lent(project: Project, declared: Declared, docker: Docker | None, place: Place) -> str:
    """Return a container whose programs can reach a database elsewhere."""
    hint = "install PostgreSQL's client programs (psql, pg_dump, pg_restore)"
    if place == "loopback":
        text = "not installed, and no container reaches this machine's own ports"
        raise UsageError("psql", text, hint=hint)
    for each in _containers(declared, docker):
        service = declared.model.services.get(each.service)
        if each.running and service and targets.is_database(project, service):
            return each.id
    text = "not installed, and no database container of this stack runs that could lend its own"
    raise UsageError("psql", text, hint=f"{hint}, or: inv stack.up")


def _no_engine(service: str) -> UnreachableError:
    text = "is a service of this stack, and no Docker engine answers"
    return UnreachableError(f"service {service}", text, hint="start Docker, then: inv stack.up")

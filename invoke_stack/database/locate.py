"""From a variable's URL to the database behind it: whose it is, and where its clients run.

A URL that leads into this stack, by a service's name or by a port that one of its running
containers publishes, is worked on inside that container: the server cannot be another one, such
as the far end of a tunnel on the same port. Anything else is reached with the programs of this
machine; where it has none, with those of the stack's database container. Without Docker all of
them run here, and the stack's own server is asked over TCP, where it wants the URL's password.
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
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.events import Note, Report, silent
from invoke_stack.project import Project

PROGRAMS = ("psql", "pg_dump", "pg_restore")
LOOPBACK = "127.0.0.1"
_BINDS = frozenset({"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"})  # noqa: S104


def find(
    project: Project,
    declared: Declared,
    docker: Engine | None,
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


def at(project: Project, declared: Declared, docker: Engine | None, found: Keyed) -> Target:
    """Return the database behind a URL."""
    inside = _in_stack(project, declared, docker, found)
    if inside is not None:
        return inside
    address = found.address
    login, place, shown = address.login(), address.place, address.shown
    target = Target(declared.name, "", "", Postgres(), login, place, shown, found.key)
    return target if _installed(project) else _lent(project, declared, docker, target)


def _in_stack(
    project: Project, declared: Declared, docker: Engine | None, found: Keyed
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
    container = targets.running(docker, declared.name, service)
    own = providers.find(declared.model.services[service], project.settings.db.providers)
    login = address.login()
    made = Target(declared.name, service, "", own, login, key=found.key)
    made = targets.served(project, made, docker, container)
    there = {"PGHOST": service, "PGPORT": str(target)}
    if made.programs is not None:  # no name leads to a service, and its port is this machine's
        there = {"PGHOST": LOOPBACK, "PGPORT": _port(made, container, target)}
    login = dataclasses.replace(login, variables={**login.variables, **there})
    return dataclasses.replace(made, login=login)


def _port(made: Target, container: Container, target: int) -> str:
    """Return this machine's port of a server on it; without a published one its own."""
    published = (str(each.published) for each in container.bindings if each.target == target)
    return next(published, made.address.get("PGPORT", str(target)))


def _publisher(
    project: Project, declared: Declared, docker: Engine | None, port: int
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


def _containers(declared: Declared, docker: Engine | None) -> tuple[Container, ...]:
    return docker.containers(declared.name) if docker is not None else ()


def _installed(project: Project) -> bool:
    path = project.environ.get("PATH")
    return all(shutil.which(program, path=path) for program in PROGRAMS)


def _lent(project: Project, declared: Declared, docker: Engine | None, target: Target) -> Target:
    """Return a database elsewhere with the programs of one of the stack."""
    hint = "install PostgreSQL's client programs (psql, pg_dump, pg_restore)"
    for each in _containers(declared, docker):
        service = declared.model.services.get(each.service)
        if docker and each.running and service and targets.is_database(project, service):
            found = targets.served(project, target, docker, each)
            if target.place == "remote" or found.programs is not None:
                return dataclasses.replace(found, address={})
    if target.place == "loopback":
        text = "not installed, and no container reaches this machine's own ports"
        raise UsageError("psql", text, hint=hint)
    text = "not installed, and no database container of this stack runs that could lend its own"
    raise UsageError("psql", text, hint=f"{hint}, or: inv stack.up")


def _no_engine(service: str) -> UnreachableError:
    text = "is a service of this stack, and no Docker engine answers"
    return UnreachableError(f"service {service}", text, hint="start Docker, then: inv stack.up")

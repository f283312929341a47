"""A database as migration tools get it: one URL for this machine, one for inside the stack."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote, urlsplit

from invoke_stack.database import keyed, locate, urls
from invoke_stack.database import target as targets
from invoke_stack.database.migrating import Place, with_database
from invoke_stack.database.target import Target
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.events import Report, Warned
from invoke_stack.project import Project
from invoke_stack.stack import override

KEY = "DATABASE_URL"
PORT = int(urls.PORT)
LOOPBACK = "127.0.0.1"
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what a published port is bound to
CONNECT_S = 0.5
NOWHERE = f"postgresql://{LOOPBACK}:{PORT}/none"
"""What a tool is told that asks for a URL and uses none, where nobody has written one."""


def find(
    project: Project, declared: Declared, docker: Engine | None, report: Report, key: str = ""
) -> Place:
    """Return the stack's database, or the one that a variable's URL leads to.

    The stack's own URL is the one that the app has, with all its parameters, where that leads
    to this service; else it is put together from what the container was made with.

    Raises:
        UsageError: there is no database service, or several; no such variable.
        UnreachableError: it does not run.
    """
    target = locate.find(project, declared, docker, key, report)
    written = keyed.find(project, declared, key).text if key else ""
    if target.place != "stack" or docker is None:
        keys = tuple(dict.fromkeys((KEY, key, target.key)))
        return Place(declared, docker, target, written, written, keys)
    written = written or next(_written(declared, target.service), "")
    if not written and _elsewhere(declared, target.service):
        text = f"{KEY} leads to another database than this stack's; {target.service} is meant"
        report(Warned(text, f"for the other one: --target {KEY}"))
    stack = (
        moved(written, target.service, PORT)
        if written
        else urls.written(target.login, target.service)
    )
    database = "" if key else project.settings.db.name
    database = database or unquote(urlsplit(stack).path.lstrip("/")) or target.database
    stack = with_database(stack, database)
    _learn(project, stack)
    return Place(
        declared,
        docker,
        targets.with_database(target, database),
        host=_from_here(docker, target, stack),
        stack=stack,
        keys=tuple(dict.fromkeys(filter(None, (KEY, key)))),
        call=lambda: override.applied(project, declared, {}, report),
    )


def unasked(project: Project, declared: Declared, docker: Engine | None, report: Report) -> Place:
    """Return the stack's database for what needs none: as it runs, else as the files have it.

    The app's own URL is there in any case: Prisma 7 reads its config, which wants one, whatever
    it does. https://www.prisma.io/docs/orm/reference/prisma-config-reference
    """
    try:
        return find(project, declared, docker, report)
    except (UnreachableError, UsageError):
        written = next((value for key, value in _urls(declared) if key == KEY), NOWHERE)
        _learn(project, written)
        call = functools.partial(override.applied, project, declared, {}, report)
        return Place(declared, docker, None, host=written, stack=written, call=call)


def moved(address: str, host: str, port: int) -> str:
    """Return a URL with another host and port; everything else stays byte for byte."""
    scheme, separator, rest = address.partition("://")
    cut = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    user, sign, _ = rest[:cut].rpartition("@")
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}{separator}{user}{sign}{name}:{port}{rest[cut:]}"


def _learn(project: Project, address: str) -> None:
    try:
        password = urlsplit(address).password or ""
    except ValueError:  # no URL, whatever its key says
        return
    project.secrets.learn(each for each in (password, unquote(password)) if each)


def _written(declared: Declared, service: str) -> Iterator[str]:
    """Yield the URLs of the resolved env that lead to the service, the app's own key first."""
    return (value for key, value in _urls(declared) if _leads(value, service))


def _urls(declared: Declared) -> Iterator[tuple[str, str]]:
    """Yield the URLs of the resolved env with their keys, the app's own key first."""
    pairs = [(key, declared.environ.get(key)) for key in declared.env.values]
    for each in declared.active().values():
        pairs += each.environment.items()
    for key, value in sorted(pairs, key=lambda pair: (pair[0] != KEY, pair[0])):
        if value and key.endswith("URL"):
            yield key, value


def _leads(value: str, service: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"postgres", "postgresql"} and (
            (parts.hostname or "", parts.port or PORT) == (service.lower(), PORT)
        )
    except ValueError:  # no URL, whatever its key says
        return False


def _elsewhere(declared: Declared, service: str) -> bool:
    value = declared.environ.get(KEY) if KEY in declared.env.values else None
    return bool(value) and not _leads(value or "", service)


def _from_here(docker: Engine, target: Target, stack: str) -> str:
    """Return the URL for a program on this machine, or "" where nothing leads there.

    A published port does; without one, the container's own address on an engine whose network
    is this machine's, which Docker Desktop's is not. A server without Docker is on this machine.
    """
    container = targets.container_of(docker, target.project, target.service)
    if container is None or not docker.endpoint.local:
        return ""
    for each in container.bindings:
        if (each.target, each.protocol) == (PORT, "tcp"):
            host = LOOPBACK if each.host in _EVERYWHERE else each.host
            return moved(stack, host, each.published)
    if target.programs is not None:
        return moved(stack, LOOPBACK, int(target.address["PGPORT"]))
    addresses = docker.addresses(container.id)
    reached = next((each for each in addresses if _answers(each)), "")
    return moved(stack, reached, PORT) if reached else ""


def _answers(host: str) -> bool:
    try:
        with closing(socket.create_connection((host, PORT), CONNECT_S)):
            return True
    except OSError:
        return False

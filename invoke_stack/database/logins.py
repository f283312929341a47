"""Can the app log in as its env files say? What the server knows, and who may change it.

User, password and database in the env files count only when the volume is made. Changed later,
the server goes on with the old ones and turns the app away.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.database.target import QUERY_S, Target, failed
from invoke_stack.errors import StackError
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

LOOPBACK = "127.0.0.1"
DATA = "/var/lib/postgresql/data"
TEMPLATE = "template1"
AGAIN_S = 0.3

_REFUSED = re.compile(r"password authentication failed|no password supplied|role \".*\" does not")
_MISSING = re.compile(r"database \".*\" does not exist")
_STARTING = re.compile(r"Connection refused|starting up")
_NAMELESS = "could not translate host name"
# A row of pg_authid as it lies on disk: the first superuser's number, the name in 64 bytes, and
# its seven privileges. https://www.postgresql.org/docs/current/catalog-pg-authid.html
_ROLES = "global/1260"
_FIRST_ROLE = re.compile("\n\0\0\0([^\0]{1,63})\0+\x01{7}")

_STATE = """
SELECT json_build_object(
  'super', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'roles', (SELECT json_agg(rolname ORDER BY rolname) FROM pg_roles WHERE rolcanlogin),
  'databases', (SELECT json_object_agg(datname, pg_database_size(oid) ORDER BY datname)
                FROM pg_database WHERE NOT datistemplate));
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What is on the server.

    Attributes:
        admin: a superuser that the server's own socket lets in without a password.
        roles: those that can log in.
        databases: names to sizes in bytes, templates left out.
    """

    admin: str
    roles: tuple[str, ...]
    databases: Mapping[str, int]


def problem(project: Project, target: Target, patience_s: float = 0) -> str:
    """Return why the app cannot log in, or "" when it can, or when that cannot be told.

    It is asked over the stack's network, where the official image wants the password; without
    Docker over this machine's own.
    ``patience_s`` is how long a server that starts may take to answer at all.
    """
    deadline = time.monotonic() + patience_s
    host = LOOPBACK if target.programs is not None else target.service
    answer = _login(project, target, host)
    while answer.code != 0 and _STARTING.search(answer.stderr) and time.monotonic() < deadline:
        time.sleep(AGAIN_S)
        answer = _login(project, target, host)
    if answer.code != 0 and _NAMELESS in answer.stderr:  # `network_mode: host` or none
        answer = _login(project, target, LOOPBACK)
    if answer.code == 0:
        return ""
    if _MISSING.search(answer.stderr):
        return f"there is no database {target.database}"
    if _REFUSED.search(answer.stderr):
        return f"it does not let user {target.login.user} in"
    return ""


def server(project: Project, target: Target, data: str = DATA) -> Server:
    """Return what is on the server, seen by a superuser over the server's own socket.

    Args:
        project: the project.
        target: the stack's database.
        data: the folder of the server's data, inside the container if it is in one.

    Raises:
        StackError: no superuser is let in without a password.
    """
    answer: Completed | None = None
    tried: set[str] = set()
    for name in _candidates(project, target, data):
        if name in tried:
            continue
        tried.add(name)
        command = as_role(target, name, TEMPLATE).inside(
            target.provider.client(), fed=True, read=True
        )
        answer = project.runner.capture(command, timeout_s=QUERY_S, stdin=_STATE.encode())
        found = json.loads(answer.stdout) if answer.code == 0 else {}
        if found.get("super"):
            return Server(name, tuple(found["roles"] or ()), found["databases"] or {})
    hint = "set the user and password again that the volume was made with"
    text = "its own socket lets no superuser in without a password, so nothing can be mended"
    detail = failed(project, target, answer).detail if answer is not None else ()
    raise StackError(f"service {target.service}", text, hint=hint, detail=detail)


def as_role(target: Target, user: str, database: str) -> Target:
    """Return the same server for another role, over the socket and without a password."""
    login = dataclasses.replace(
        target.login, user=user, database=database, password="", variables={}
    )
    return dataclasses.replace(target, login=login)


def _candidates(project: Project, target: Target, data: str) -> Iterator[str]:
    """Yield names that may be the superuser's; the last ones are read from the data itself."""
    yield target.login.user
    yield "postgres"
    for found in _FIRST_ROLE.finditer(_roles(project, target, f"{data}/{_ROLES}")):
        yield found[1]


def _roles(project: Project, target: Target, path: str) -> str:
    if target.container:
        words = ("docker", "exec", "--user", "0", target.container, "cat", path)
        return project.runner.capture(Command(words, effect="read"), timeout_s=QUERY_S).stdout
    try:
        return Path(path).read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _login(project: Project, target: Target, host: str) -> Completed:
    login = dataclasses.replace(target.login, variables={"PGHOST": host})
    client = dataclasses.replace(target, login=login)
    command = client.inside(client.provider.client(), fed=True, read=True)
    return project.runner.capture(command, timeout_s=QUERY_S, stdin=b"SELECT 1;")

"""`db.repair`: a volume made with another user, password or database, mended without losing data.

The official image lets everybody in over the socket inside the container; a server without Docker
has such a socket in a folder that only its user may enter. Over it a superuser gives the app's role
the password that the env files have now, and makes the role or the database where the volume was
made with others. What is there stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invoke_stack import sizes
from invoke_stack.database import logins
from invoke_stack.database import target as targets
from invoke_stack.database.logins import Server
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.rails import Confirm
from invoke_stack.database.target import QUERY_S, Target
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Planned, Report, Step, silent
from invoke_stack.process import Command
from invoke_stack.project import Project

PASSWORD_FILE = "POSTGRES_PASSWORD_FILE"  # noqa: S105 - a variable's name

# The password is in one of these statements: no log and no statistics shall keep it.
_QUIET = (
    r"\set ON_ERROR_STOP on",
    "SET log_statement = 'none';",
    "SET log_min_duration_statement = -1;",
    "SET log_min_error_statement = 'panic';",
    "SET pg_stat_statements.track_utility = 'off';",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to mend: as people read it, and as the server does."""

    text: str
    statement: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was mended; nothing where the app could log in already."""

    target: Target
    problem: str
    changes: tuple[Change, ...]

    def document(self) -> dict[str, Any]:
        """Return the JSON of `db.repair`."""
        return {
            "service": self.target.service,
            "database": self.target.database,
            "user": self.target.login.user,
            "problem": self.problem or None,
            "done": [each.text for each in self.changes],
        }


def repair(
    project: Project, declared: Declared, docker: Engine, confirm: Confirm, report: Report = silent
) -> Repaired:
    """Let the app log in again as its env files say.

    Raises:
        UsageError: no password is set, or the database is no PostgreSQL.
        UnreachableError: it does not answer.
        RefusedError: the user said no.
        StackError: no superuser is let in, or the app still cannot log in.
    """
    target = _target(project, declared, docker)
    problem = logins.problem(project, target)
    if not problem:
        # Nothing is known of a server that does not answer: then this says so.
        targets.ask(project, target, "SELECT 1;")
        return Repaired(target, "", ())
    made = _environment(declared, docker, target)
    found = logins.server(project, target, made.get("PGDATA") or logins.DATA)
    changes = plan(target, found)
    confirm(question(target, problem, changes, found))
    if project.dry:
        for each in changes:
            report(Planned(each.text))
        return Repaired(target, problem, ())
    report(Step(f"mending {target.where}"))
    _apply(project, target, found, changes)
    if left := logins.problem(project, target):
        hint = f"read what the server says: inv stack.logs -s {target.service}"
        raise StackError(target.where, f"mended, and still {left}", hint=hint)
    return Repaired(target, problem, changes)


def plan(target: Target, found: Server) -> tuple[Change, ...]:
    """Return what to change so that the app's login works; the role's password always."""
    user, database = target.login.user, target.database
    role, secret = _identifier(user), _literal(target.login.password)
    if user in found.roles:
        text = f"give role {user} the password that the env files have now"
        first = Change(text, f"ALTER ROLE {role} WITH LOGIN PASSWORD {secret};")
    else:
        # What the official image makes of POSTGRES_USER is a superuser.
        text = f"create role {user}, a superuser as the image makes it, with its password"
        first = Change(text, f"CREATE ROLE {role} WITH LOGIN SUPERUSER PASSWORD {secret};")
    if database in found.databases:
        return (first,)
    statement = f"CREATE DATABASE {_identifier(database)} OWNER {role};"
    return (first, Change(f"create the empty database {database}", statement))


def question(target: Target, problem: str, changes: tuple[Change, ...], found: Server) -> str:
    """Return what is asked: the problem, every change, and where older data may be."""
    lines = [f"{target.where}: {problem}; its volume was made with other values. This would"]
    lines += [f"  {each.text}" for each in changes]
    others = {
        name: size
        for name, size in found.databases.items()
        if name not in {target.database, "postgres"}
    }
    if target.database not in found.databases and others:
        listed = ", ".join(f"{name} ({sizes.shown(size)})" for name, size in others.items())
        lines.append(
            f"  the volume also has {listed}: if your data is there, name that one instead"
        )
    lines.append("and leave everything else as it is. Go on?")
    return "\n".join(lines)


def _target(project: Project, declared: Declared, docker: Engine) -> Target:
    target = targets.find(project, declared, docker)
    if not isinstance(target.provider, Postgres):
        text = f"{target.provider.name} cannot be mended"
        raise UsageError(target.where, text, hint="db.repair knows PostgreSQL")
    if target.login.password:
        return target
    named = _environment(declared, docker, target).get(PASSWORD_FILE)
    if not named:
        text = "no password is set for it, so there is none to give"
        hint = "set POSTGRES_PASSWORD in the env files, then: inv stack.up"
        raise UsageError(target.where, text, hint=hint)
    words: tuple[str, ...] = ("cat", named)
    if target.container:
        words = ("docker", "exec", "--user", "0", target.container, *words)
    done = project.runner.capture(Command(words, effect="read"), timeout_s=QUERY_S)
    done.require(target.where, f"{PASSWORD_FILE} cannot be read", hint="check its `secrets:`")
    password = done.stdout.rstrip("\n")
    project.secrets.learn([password])
    login = dataclasses.replace(target.login, password=password)
    return dataclasses.replace(target, login=login)


def _environment(declared: Declared, docker: Engine, target: Target) -> Mapping[str, str]:
    """Return what the server was started with; where its data lies is true where it runs."""
    container = targets.running(docker, declared.name, target.service)
    return {**docker.environment(container.id), **target.address}


def _apply(project: Project, target: Target, found: Server, changes: tuple[Change, ...]) -> None:
    database = "postgres" if "postgres" in found.databases else logins.TEMPLATE
    admin = logins.as_role(target, found.admin, database)
    statements = "\n".join([*_QUIET, *(each.statement for each in changes), ""])
    command = admin.inside(admin.provider.client(), fed=True)
    done = project.runner.capture(command, timeout_s=QUERY_S, stdin=statements.encode())
    if done.code != 0:
        raise targets.failed(project, admin, done)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    # Standard strings: a backslash is a backslash; E'' would take it for the start of more.
    return "'" + text.replace("'", "''") + "'"

"""`db.shell`: the database's own client, with a terminal, one statement, or a file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from invoke_stack.database import sessions
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.process import Command
from invoke_stack.project import Project

UNCONNECTED = 2
"""psql's exit code for a connection that was refused or went bad."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the client is to do.

    Attributes:
        statement: SQL to run; "" reads it from standard input.
        keyboard: standard input is a terminal.
        screen: standard output is a terminal; else the rows come bare, columns by tabs.
    """

    statement: str = ""
    keyboard: bool = False
    screen: bool = False

    @property
    def interactive(self) -> bool:
        """Whether a person types into the client."""
        return self.keyboard and not self.statement


def command(target: Target, request: Request, application: str) -> Command:
    """Return the call of the client; user, password and names are in its environment."""
    argv = target.provider.shell(request.statement, bare=not request.screen)
    if request.interactive:
        argv = target.provider.shell("", bare=False, interactive=True)
    call = target.inside(argv, application=application, fed=True)
    if target.container and request.interactive and request.screen:
        words = ("docker", "exec", "--tty", *call.argv[2:])
        call = replace(call, argv=words)
    return replace(call, interactive=request.interactive)


def run(project: Project, target: Target, request: Request) -> None:
    """Run the client with the caller's streams until it ends.

    Raises:
        StackError: a statement failed; the client has said which.
        UnreachableError: it could not connect.
    """
    # Not the names that sweeping looks for: a shell holds no lock, and is nobody's left-over.
    name = f"invoke_stack-shell-{secrets.token_hex(4)}"
    try:
        code = project.runner.attach(command(target, request, name))
    except KeyboardInterrupt:
        # A statement goes on in the server when `docker exec` goes away.
        sessions.end_quietly(project, target, name)
        raise
    if code == 0:
        return
    where = f"database {target.database}"
    if code == UNCONNECTED and not request.interactive:
        hint = f"see whether it answers: inv db.wait{_flag(target)}"
        raise UnreachableError(where, "the connection failed or broke off", hint=hint)
    if request.interactive:
        raise StackError(where, f"the shell ended with code {code}", hint="inv db.wait")
    hint = "the message above says where; nothing after that statement was run"
    raise StackError(where, f"the client ended with code {code}: a statement failed", hint=hint)


def _flag(target: Target) -> str:
    return f" --target {target.key}" if target.key else ""

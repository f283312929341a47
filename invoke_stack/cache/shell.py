"""`cache.shell`: the cache's own client, with a terminal, one command, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from invoke_stack.cache import info, target
from invoke_stack.cache.target import Cache
from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

ERRORS_SINCE = 7
"""The version whose client ends with an error code when the server refuses (`-e`)."""


def command(cache: Cache, words: Sequence[str], *, db: int, terminal: bool, major: int) -> Command:
    """Return the call of the client: for a person, or for one command or a file of them."""
    if terminal and not words:
        call = cache.inside(db=db, fed=True)
        if cache.container:
            call = replace(call, argv=("docker", "exec", "--tty", *call.argv[2:]))
        return replace(call, interactive=True)
    strict = ("-e",) if major >= ERRORS_SINCE else ()
    return cache.inside((*strict, *words), db=db, fed=True)


def run(
    project: Project, cache: Cache, words: Sequence[str], *, db: int = 0, terminal: bool
) -> None:
    """Run the client with the caller's streams until it ends.

    Raises:
        UsageError: the cache has no database of that number.
        UnreachableError: the cache does not answer, or lets nobody in.
        StackError: it refused a command; the client has said why.
    """
    _require(project, cache, db)
    major = info.info(project, cache).version.partition(".")[0]
    number = int(major) if major.isdecimal() else 0
    code = project.runner.attach(command(cache, words, db=db, terminal=terminal, major=number))
    if code:
        text = f"{cache.client} ended with code {code}"
        raise StackError(f"service {cache.service}", text, hint="the message above says why")


def _require(project: Project, cache: Cache, db: int) -> None:
    # The client goes on in database 0 when it cannot select another one: FLUSHDB would hit that.
    said = target.ask(project, cache, [f"SELECT {db}"]).strip() if db > 0 else ""
    if db < 0 or said not in {"", "OK"}:
        hint = "a number from 0; see inv cache.info"
        raise UsageError("--db", f"no database {db}", hint=hint, detail=(said,) if said else ())

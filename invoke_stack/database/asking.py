"""Asking a server while something else goes on: most of a short question is starting its client."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.project import Project


def at_once(target: Target) -> bool:
    """Return whether several sessions are let in: a URL's user may be limited to one."""
    return target.place == "stack" and not target.key


@contextlib.contextmanager
def begun(
    project: Project, target: Target, statements: str, *, read: bool = True
) -> Iterator[Callable[[], str]]:
    """Run statements beside us; the call that is yielded waits for what the client prints.

    It raises what `target.ask` does. A question that nobody wants to know the answer of is given
    up with the block. Where only one session may be let in, that call alone asks.
    """
    if not at_once(target):
        yield lambda: targets.ask(project, target, statements, read=read)
        return
    command = target.inside(target.provider.client(), fed=True, read=read)
    beside = project.runner.beside(command, timeout_s=targets.QUERY_S, stdin=statements.encode())
    with beside as taken:
        yield lambda: targets.answer(project, target, taken())

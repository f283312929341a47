"""Asking a server while something else goes on: most of a short question is starting its client."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.project import Project


@contextlib.contextmanager
def begun(
    project: Project, target: Target, statements: str, *, read: bool = True
) -> Iterator[Callable[[], str]]:
    """Run statements beside us; the call that is yielded waits for what the client prints.

    It raises what `target.ask` does. A question that nobody wants to know the answer of is given
    up with the block. A server that is not the stack's is asked by that call only: it may let one
    session of its user in at a time.
    """
    if target.place != "stack":
        yield lambda: targets.ask(project, target, statements, read=read)
        return
    command = target.inside(target.provider.client(), fed=True, read=read)
    beside = project.runner.beside(command, timeout_s=targets.QUERY_S, stdin=statements.encode())
    with beside as taken:
        yield lambda: targets.answer(project, target, taken())

"""The running stack and its engine, for the tasks that act on its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from invoke_stack.tasks._task import Run

if TYPE_CHECKING:
    from invoke_stack.engines.engine import Engine
    from invoke_stack.environment.declared import Declared


TARGET = {"target": "The variable whose URL leads to the database; the stack's own by default."}


@contextmanager
def running_stack(run: Run) -> Iterator[tuple[Declared, Engine]]:
    """Yield the stack that runs and its engine."""
    with around(run, needed=True) as (declared, engine):
        assert engine is not None  # noqa: S101 - for the type checker: it was needed
        yield declared, engine


@contextmanager
def around(run: Run, *, needed: bool) -> Iterator[tuple[Declared, Engine | None]]:
    """Yield the stack and its engine; None where none answers and none is ``needed``."""
    from invoke_stack.engines import opening
    from invoke_stack.errors import RefusedError, UnreachableError
    from invoke_stack.stack import known

    ahead = opening.Ahead(run.project)
    ours = known.find(run.project, run.console.report, ahead.look)
    declared = ours.require_declared()
    with ExitStack() as stack:
        engine: Engine | None = None
        try:
            choice = ahead.choice(run.console.report)
            engine = stack.enter_context(opening.open(run.project, choice=choice))
        except (RefusedError, UnreachableError):  # a stack that belongs to a Docker that is stopped
            if needed:
                raise
        else:
            known.containers(run.project, ours, engine)
        yield declared, engine

"""The running stack and its engine, for the tasks that act on its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from invoke_stack.tasks._task import Run

if TYPE_CHECKING:
    from invoke_stack.engines.choice import Choice
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
    from invoke_stack.engines import choice, opening
    from invoke_stack.errors import RefusedError, StackError, UnreachableError
    from invoke_stack.stack import known

    chosen: Choice | None = None

    def look() -> None:
        nonlocal chosen
        with suppress(StackError):  # said when the engine is opened, if it still is true
            chosen = opening.prepared(run.project)

    ours = known.find(run.project, run.console.report, look)
    declared = ours.require_declared()
    if chosen is not None:
        choice.tell(chosen, run.console.report)
    with ExitStack() as stack:
        engine: Engine | None = None
        try:
            engine = stack.enter_context(
                opening.open(run.project, run.console.report, choice=chosen)
            )
        except (RefusedError, UnreachableError):  # a stack that belongs to a Docker that is stopped
            if needed:
                raise
        else:
            known.containers(run.project, ours, engine)
        yield declared, engine

"""The running stack and its engine, for the tasks that act on its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_stack.tasks._task import Run

if TYPE_CHECKING:
    from invoke_stack.engines.docker import Docker
    from invoke_stack.environment.declared import Declared


@contextmanager
def running_stack(run: Run) -> Iterator[tuple[Declared, Docker]]:
    """Yield the stack that runs and its engine."""
    from invoke_stack.engines import docker
    from invoke_stack.stack import known

    docker.foresee()
    ours = known.find(run.project, run.console.report)
    declared = ours.require_declared()
    with docker.connect(run.project) as engine:
        known.containers(run.project, ours, engine)
        yield declared, engine

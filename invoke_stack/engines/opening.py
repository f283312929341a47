"""Opening the engine that runs this project's stack, whichever it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from invoke_stack import events
from invoke_stack.engines import choice as choices
from invoke_stack.engines import docker, endpoint
from invoke_stack.engines.choice import Choice
from invoke_stack.engines.docker import Docker
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.errors import StackError, UsageError
from invoke_stack.project import Project


def prepared(project: Project) -> Choice:
    """Return the choice with all that a connection needs, for a moment when nothing else goes on.

    What a connection needs is loaded here, once: threads that import the SDK at the same time may
    see half of it.

    Raises:
        RefusedError: the stack's data is with an engine that does not answer.
        UnreachableError: the Docker context that was chosen does not exist.
    """
    found = choices.chosen(project)
    if found.name == "embedded":
        return found
    docker.load()
    return dataclasses.replace(found, where=found.where or endpoint.find(project))


class Ahead:
    """The choice of the engine, made while something else goes on and used afterwards."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: Choice | None = None

    def look(self) -> None:
        """Choose, and load what a connection needs; what fails here is said by ``choice``."""
        with suppress(StackError):
            self._found = prepared(self._project)

    def choice(self, report: events.Report = events.silent) -> Choice:
        """Return the choice, made now where nobody has looked, and tell it.

        Raises:
            RefusedError: the stack's data is with an engine that does not answer.
            UnreachableError: the Docker context that was chosen does not exist.
        """
        found = self._found or choices.chosen(self._project)
        choices.tell(found, report)
        return found


@contextmanager
def open(  # noqa: A001 - read as `opening.open`
    project: Project,
    report: events.Report = events.silent,
    *,
    choice: Choice | None = None,
    timeout_s: int = docker.TIMEOUT_S,
) -> Iterator[Docker | Embedded]:
    """Open the engine that runs the stack.

    Args:
        project: the project.
        report: told which engine it is, where no setting says so.
        choice: what `choice.chosen` or `prepared` has returned, and the caller has told.
        timeout_s: how long one answer of a Docker engine may take.

    Raises:
        RefusedError: the stack's data is with an engine that does not answer.
        UnreachableError: no engine answers.
    """
    if choice is None:
        choice = choices.chosen(project)
        choices.tell(choice, report)
    if choice.name == "embedded":
        yield embedded(project)
        return
    with docker.connect(project, timeout_s=timeout_s, where=choice.where) as engine:
        yield engine


def embedded(project: Project) -> Embedded:
    """Return the embedded engine.

    Raises:
        UsageError: this system has none.
    """
    import os

    if os.name != "posix":
        hint = "start Docker Desktop, or work inside WSL"
        raise UsageError("engine: embedded", "runs on Linux and macOS", hint=hint)
    return Embedded(project)


def docker_only(project: Project, task: str, instead: str) -> None:
    """Refuse what only containers can do, before anything is asked of an engine.

    Raises:
        UsageError: the stack runs embedded; ``instead`` says what to do.
    """
    if choices.chosen(project).name == "embedded":
        raise UsageError(task, "needs Docker: this stack runs on the embedded engine", hint=instead)

"""The stack that a task means when it acts on what is there already.

Such tasks address the Compose project by its name. The name comes from the compose files; when
those are broken just now, from what the last `stack.up` wrote down, so that a stack can always
be looked at and taken down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose.model import Model
from invoke_stack.engines import opening
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.stack import preflight, state


@dataclass(frozen=True, slots=True)
class Known:
    """A stack by name.

    Attributes:
        folder: Compose's project directory, which tells ours from a namesake.
        model: the declared services; empty when the files cannot be read.
        declared: all that the files say, or None when they cannot be read.
    """

    name: str
    folder: Path
    model: Model = field(repr=False)
    declared: Declared | None = field(repr=False)

    def require_declared(self) -> Declared:
        """Return what the files say.

        Raises:
            UsageError: they cannot be read; the reason was reported already.
        """
        if self.declared is None:
            raise UsageError(
                self.name, "this needs the compose files", hint="correct them: inv stack.config"
            )
        return self.declared


def find(
    project: Project,
    report: events.Report = events.silent,
    meanwhile: Callable[[], object] = lambda: None,
) -> Known:
    """Return the stack that runs, or would; ``meanwhile`` is called while Compose reads.

    Raises:
        UsageError: the files cannot be read and nothing was brought up before.
    """
    try:
        declared = loading.load(project, state.known_mode(project), meanwhile)
    except UsageError as problem:
        name, folder = state.last_name(project)
        if not name:
            raise
        report(events.Warned(str(problem), f"going on with the stack that is up: {name}"))
        return Known(name, folder, Model(name, {}), None)
    return Known(declared.name, declared.files.folder, declared.model, declared)


@contextmanager
def opened(
    project: Project, report: events.Report = events.silent
) -> Iterator[tuple[Known, Engine]]:
    """Yield the stack that runs, or would, and its engine, looked for while Compose reads.

    Raises:
        UsageError: the files cannot be read and nothing was brought up before.
        RefusedError: the stack's data is with an engine that does not answer.
        UnreachableError: no engine answers.
    """
    ahead = opening.Ahead(project)
    ours = find(project, report, ahead.look)
    with opening.open(project, choice=ahead.choice(report)) as engine:
        yield ours, engine


def chosen(
    ours: Known, found: Sequence[Container], services: Sequence[str]
) -> tuple[Container, ...]:
    """Return the containers of the chosen services, or of all of them.

    Raises:
        UsageError: a service that neither the files nor the engine know.
    """
    names = {*ours.model.services, *(each.service for each in found)}
    for name in services:
        if name not in names:
            raise preflight.no_such_service(ours.name, names, name)
    return tuple(each for each in found if not services or each.service in services)


def containers(
    project: Project, known: Known, engine: Engine, *, oneoff: bool = False
) -> tuple[Container, ...]:
    """Return the project's containers, once it is sure that they are ours.

    Raises:
        RefusedError: they belong to another folder that chose the same name.
    """
    found = engine.containers(known.name, oneoff=oneoff)
    state.require_own(found, known.folder, known.name)
    for each in found:
        # What runs may still have a secret that no file has any more.
        project.secrets.learn(each.secrets)
        project.secrets.allow([each.service])
        if known.declared is None:  # else its name is known as the files write it
            project.secrets.allow([each.image])
    return found

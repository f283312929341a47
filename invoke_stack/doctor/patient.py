"""What several checks look at, found once and beside each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from invoke_stack.compose.elsewhere import NoStackError
from invoke_stack.doctor import server
from invoke_stack.doctor.server import Server
from invoke_stack.engines import opening
from invoke_stack.engines.choice import Choice
from invoke_stack.engines.docker import Docker
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

ANSWER_S = 5
"""How long a program or the engine may take for one answer."""


class Patient:
    """A project under examination; each question is asked once, whoever wants the answer."""

    def __init__(self, project: Project, pool: Executor) -> None:
        self.project = project
        self._choice: Future[Choice] = pool.submit(opening.prepared, project)
        self._stack: Future[Declared | None] = pool.submit(_stack, project)
        self._server: Future[Server | None] = pool.submit(self._look)

    def choice(self) -> Choice:
        """Return which engine runs the stack.

        Raises:
            RefusedError: the stack's data is with Docker, which does not answer.
            StackError: the chosen Docker context does not exist.
        """
        return self._choice.result()

    @property
    def embedded(self) -> bool:
        """Whether the stack runs as processes of this machine."""
        return self.choice().name == "embedded"

    @contextmanager
    def engine(self) -> Iterator[Docker | Embedded]:
        """Open the engine that runs the stack; every check has a connection of its own.

        Raises:
            StackError: there is none that answers.
        """
        with opening.open(self.project, choice=self.choice(), timeout_s=ANSWER_S) as found:
            yield found

    def stack(self) -> Declared | None:
        """Return the stack that the files declare; None outside a project.

        Raises:
            StackError: the files cannot be read.
        """
        return self._stack.result()

    def server(self) -> Server | None:
        """Return what the stack's database says; None for a stack without one.

        Raises:
            StackError: it does not run, or does not answer.
        """
        return self._server.result()

    def has(self, program: str) -> bool:
        """Tell whether a program is on PATH."""
        return shutil.which(program, path=self.project.environ.get("PATH")) is not None

    def first_line(self, *argv: str) -> str:
        """Return the first line that a program prints, "" where it is not there or fails."""
        try:
            done = self.project.runner.capture(Command(argv, effect="read"), timeout_s=ANSWER_S)
        except UsageError:
            return ""
        return (done.stdout.strip().splitlines() or [""])[0] if done.code == 0 else ""

    def _look(self) -> Server | None:
        declared = self.stack()
        return server.look(self.project, declared, self.engine) if declared else None


def _stack(project: Project) -> Declared | None:
    try:
        return loading.load(project)
    except NoStackError:
        return None

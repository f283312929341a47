"""The running stack for a Nox session, with its env as the host sees it.

    import nox

    from invoke_stack.nox import stack


    @nox.session
    def tests(session):
        session.install("pytest", "psycopg[binary]")
        with stack(session, mode="test", services=["db"]) as env:
            session.run("pytest", env=env)

Nox itself is the project's own: nothing here imports it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from invoke_stack.errors import StackError
from invoke_stack.process import Command, SystemRunner

INV = (sys.executable, "-m", "invoke")
"""The Invoke of the Python that runs Nox: the session's own need not have it."""

ORIGINS = ("file", "mode", "process", "set")
"""What a program gets; the defaults in compose files are for containers alone."""


class Session(Protocol):
    """What is used of `nox.Session`."""

    def run(self, *words: str, external: bool) -> Any:
        """Run a program; one that fails ends the session."""

    def error(self, *words: str) -> Any:
        """End the session as failed."""


@contextmanager
def stack(
    session: Session, *, mode: str = "test", services: Sequence[str] = (), keep: bool = True
) -> Iterator[dict[str, str]]:
    """Start the project's stack, wait until it is ready and yield its env.

    The project is the one of the current folder, as for `inv`; `invoke.yaml` and `tasks.py`
    count as always.

    Args:
        session: the Nox session.
        mode: dev, test, staging, prod or one of the project's own.
        services: only these, with what they depend on.
        keep: leave the stack up afterwards, so that the next run starts at once; its data
            stays in its volumes either way.

    Yields:
        Variables and values with the URLs as this machine reaches them: secrets included.
    """
    words = up(mode, services)
    session.run(*INV, *words, external=True)
    try:
        yield _env(session, mode)
    finally:
        if not keep:
            session.run(*INV, "stack.down", external=True)


def up(mode: str, services: Sequence[str]) -> tuple[str, ...]:
    """Return the task that starts the services of a mode."""
    chosen = [word for name in services for word in ("--service", name)]
    return ("stack.up", "--mode", mode, *chosen)


def shown(mode: str) -> Command:
    """Return the call that prints the env of a mode as the host sees it."""
    words = ("env.show", "--mode", mode, "--view", "host", "--reveal", "--json")
    return Command((*INV, *words), effect="read")


def read(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables in the JSON of `env.show`."""
    return {
        key: str(each["value"])
        for key, each in document["values"].items()
        if each["value"] is not None and each["origin"] in ORIGINS
    }


def _env(session: Session, mode: str) -> dict[str, str]:
    environ = dict(os.environ)  # noqa: TID251 - a caller of its own, as the task layer is
    try:
        done = SystemRunner(environ).capture(shown(mode))
        done.require("env.show", "the stack's env cannot be read", hint="inv env.check")
    except StackError as problem:
        session.error("\n".join([str(problem), *problem.detail, f"hint: {problem.hint}"]))
        raise
    return read(json.loads(done.stdout))

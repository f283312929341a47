"""What the stack's database server says about itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from invoke_stack.database import target as targets
from invoke_stack.database import versions
from invoke_stack.database.values import Facts
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.project import Project

Opened = Callable[[], AbstractContextManager[Engine]]

ANSWER_S = 5
LOG_LINES = 40
_ENDED = ("exited", "dead")

# What a manifest has no use for: the server's clock and what could be installed.
_MORE = """
SELECT json_build_object('clock', extract(epoch FROM clock_timestamp()),
  'available', (SELECT json_agg(name) FROM pg_available_extensions));
"""


class UnfitVolumeError(StackError):
    """The volume was made by another major version than the image has."""


@dataclass(frozen=True, slots=True)
class Server:
    """A database that answered.

    Attributes:
        service: the stack's service.
        image: what the compose files say now, which may be newer than what runs.
        kind: the provider's name.
        facts: what the server says; ``clock`` and ``available`` among the details.
        asked, answered: seconds since the epoch of this machine, around the question.
    """

    service: str
    image: str
    kind: str
    facts: Facts
    asked: float
    answered: float

    @property
    def available(self) -> frozenset[str]:
        """The extensions that could be installed; none where the server does not say."""
        found = self.facts.details.get("available")
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def look(project: Project, declared: Declared, opened: Opened) -> Server | None:
    """Ask the stack's database, with its own client; None for a stack without one.

    Raises:
        UnfitVolumeError: it cannot start on its volume.
        StackError: it does not run, or does not answer.
    """
    try:
        service = targets.service_of(project, declared)
    except UsageError as problem:
        if "no database" in problem.message:
            return None
        raise
    with opened() as engine:
        _volume(engine, declared, service.name)
        target = targets.find(project, declared, engine)
    more = _MORE if target.provider.name == "postgres" else ""
    asked = time.time()
    answer = targets.ask(project, target, target.provider.facts() + more, timeout_s=ANSWER_S)
    facts = target.provider.read_facts(answer)
    return Server(service.name, service.image, target.provider.name, facts, asked, time.time())


def _volume(engine: Engine, declared: Declared, service: str) -> None:
    container: Container | None = targets.container_of(engine, declared.name, service)
    if container is None or container.state not in (*_ENDED, "restarting"):
        return
    known = versions.mismatch(f"service {service}", engine.logs(container.id, LOG_LINES))
    if known is not None:
        raise UnfitVolumeError(known.where, known.message, hint=known.hint)

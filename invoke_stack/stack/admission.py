"""Whether databases let the application in once they are up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from invoke_stack import events
from invoke_stack.database import logins
from invoke_stack.database import target as targets
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.project import Project

LOGIN_S = 5.0
"""How long a database without a health check may take to answer, in seconds."""


def check(  # noqa: PLR0913 - what was started, and what was there before
    project: Project,
    declared: Declared,
    engine: Engine,
    databases: Sequence[str],
    old: Collection[str],
    report: events.Report,
) -> None:
    """Warn of a new database container whose data was made with another login.

    A container that was there before, one of the ids in ``old``, has the values of its first
    start, looked at then.
    """
    for service in databases:
        container = targets.container_of(engine, declared.name, service)
        if container is None or not container.running or container.id in old:
            continue
        with suppress(StackError):  # what the wait said counts, not what the look met
            target = targets.find(targets.pointed_at(project, service), declared, engine)
            if problem := logins.problem(project, target, LOGIN_S):
                text = f"service {service}: {problem}: its volume was made with other values"
                hint = "mend it without losing data: inv db.repair"
                report(events.Warned(text, hint))

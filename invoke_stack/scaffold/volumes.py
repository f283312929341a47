"""Whether the databases of a stack have data already."""

from __future__ import annotations

from invoke_stack.engines import opening
from invoke_stack.environment.needs import Needs
from invoke_stack.errors import StackError
from invoke_stack.project import Project

TIMEOUT_S = 5


def existing(project: Project, needs: Needs) -> tuple[str, ...]:
    """Return the databases' volumes that the engine has; none where no engine answers."""
    if not needs.volumes:
        return ()
    try:
        with opening.open(project, timeout_s=TIMEOUT_S) as engine:
            names = {each.name for each in engine.volumes(needs.name)}
    except StackError:
        return ()
    return tuple(name for name in needs.volumes if name in names)

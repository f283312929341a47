"""What `stack.up` says about migrations: one quick look that never fails the start."""

from __future__ import annotations

from invoke_stack.engines import opening
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.events import silent
from invoke_stack.migrations import places, tools
from invoke_stack.project import Project


def pending(project: Project, declared: Declared) -> tuple[str, str]:
    """Return a sentence about migrations that the database lacks and the command, or "" twice."""
    try:
        tool = tools.known(project)
        if tool is None:
            return "", ""
        with opening.open(project) as engine:
            place = places.find(project, declared, engine, silent)
            state = tool.state(project, place, silent, quick=True)
    except (StackError, OSError, ValueError):
        return "", ""  # whoever asks `db.status` is told why
    flag = declared.mode.suffix
    if state.failed:
        return f"migration {state.failed[0]} has failed", f"inv db.status{flag}"
    count = len(state.pending)
    if not count:
        return "", ""
    return f"{count} migration{'s are' if count > 1 else ' is'} pending", f"inv db.migrate{flag}"

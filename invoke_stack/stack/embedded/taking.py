"""Taking embedded services down, and their data where that was asked for."""

from __future__ import annotations

import shutil

from invoke_stack.engines.embedded import cluster, record, serving, sockets
from invoke_stack.errors import StackError
from invoke_stack.project import Project


def down(project: Project, service: str, *, data: bool = False) -> None:
    """End a service's process and forget it; its data stays unless it was asked for.

    Raises:
        StackError: the process does not end, or the data cannot be removed.
    """
    if project.dry:
        return
    found = record.read(project, service)
    home = record.home(project, service)
    if found is not None:
        serving.stop(project, found)
        sockets.remove(found.sockets)
    else:
        serving.settle(project, home.data)
    cluster.clear(project, home.data)
    record.remove(project, service)
    if not data:
        return
    try:
        shutil.rmtree(home.folder)
    except OSError as problem:
        text = f"cannot be removed: {problem.strerror}"
        hint = "remove the folder as the user who owns it"
        raise StackError(str(problem.filename or home.folder), text, hint=hint) from problem


def all_down(project: Project, *, volumes: bool) -> None:
    """End every service of the project, those of other modes too."""
    for name in record.names(project):
        down(project, name, data=volumes)

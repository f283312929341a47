"""Taking embedded services down, and their data where that was asked for."""

from __future__ import annotations

import shutil

from invoke_stack import events
from invoke_stack.engines.embedded import cluster, postgres, record, serving, sockets
from invoke_stack.errors import RefusedError, StackError, UnreachableError
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
        raise StackError(str(home.folder), text, hint=hint) from problem


def require_none(project: Project) -> None:
    """Require that nothing runs here before Docker starts the same services again.

    Raises:
        RefusedError: something does.
    """
    found = (record.read(project, name) for name in record.names(project))
    up = [each.service for each in found if each and serving.state(project, each) != "gone"]
    if up:
        text = f"{', '.join(up)} of this stack run on the embedded engine"
        hint = "INVSTACK_ENGINE=embedded inv stack.down"
        raise RefusedError("engine: docker", text, hint=hint)


def require_backable(project: Project) -> None:
    """Require that every database whose data is here runs, so that it can be backed up.

    Raises:
        UnreachableError: one does not.
    """
    for name in record.names(project):
        data = record.home(project, name).data
        found = record.read(project, name)
        runs = found is not None and serving.state(project, found) != "gone"
        if postgres.version_of(data) and not runs:
            raise UnreachableError(f"service {name}", "is not running", hint="inv stack.up")


def all_down(project: Project, *, volumes: bool, report: events.Report = events.silent) -> None:
    """End every service of the project, those of other modes too."""
    for name in record.names(project):
        if project.dry and (volumes or record.read(project, name)):
            what = "and remove its data" if volumes else "its data stays"
            report(events.Planned(f"end {name}, {what}"))
        down(project, name, data=volumes)

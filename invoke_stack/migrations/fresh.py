"""A new database filled by the project's migrations and its seed, for `db.reset`."""

from __future__ import annotations

from collections.abc import Callable

from invoke_stack.database.migrating import Place, Tool
from invoke_stack.database.target import Target
from invoke_stack.events import Note, Report
from invoke_stack.project import Project


def filler(
    project: Project, tool: Tool, place: Place, report: Report, *, seed: bool
) -> Callable[[Target], None]:
    """Return what migrates and seeds another database on the server of a place.

    Args:
        project: the project.
        tool: its migration tool.
        place: the live database; only the name is another one.
        report: hears what the tool's programs print.
        seed: also the first rows, where the project has some.
    """

    def fill(new: Target) -> None:
        fresh = place.renamed(new.database)
        tool.deploy(project, fresh, report)
        if seed and not tool.seed(project, fresh, report):
            report(Note(f"{tool.name} knows of no seed here: the database has no first rows"))

    return fill

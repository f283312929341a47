"""A backup of every database of a server, before something happens to all of them."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_stack.database import backup as backups
from invoke_stack.database import rails
from invoke_stack.database import target as targets
from invoke_stack.database.job import Options
from invoke_stack.database.target import Target
from invoke_stack.database.values import Stakes
from invoke_stack.errors import RefusedError
from invoke_stack.events import Report
from invoke_stack.project import Project


def saved(
    project: Project, target: Target, names: Sequence[str], label: str, report: Report
) -> tuple[str, ...]:
    """Back databases up, with roles and settings beside each; return the files.

    Args:
        project: the project.
        target: the app's own database; the others are on the same server.
        names: those to back up; one without tables is left out unless it is the app's.
        label: a word in the files' names.
        report: hears what is done.

    Raises:
        RefusedError: one of them is protected.
        StackError: one of them could not be backed up.
    """
    made = []
    for name in names:
        each = targets.with_database(target, name)
        stakes = rails.subject(project, each).stakes
        require_unprotected(project, name, stakes)
        if name == target.database or stakes.tables:
            options = Options(label=label, kind="safety", globals=True)
            done = backups.of(project, None, each, options, report)
            made += [project.shown(done.file)] if done else []
    return tuple(made)


def require_unprotected(project: Project, database: str, stakes: Stakes) -> None:
    """Refuse what replaces a whole server where one of its databases is protected.

    Raises:
        RefusedError: it is, by its name or by its mark on the server.
    """
    about = rails.Subject(database, "", "stack", stakes)
    guard = rails.protection(about, project.settings.db.protected)
    if guard:
        text = f"is protected: {guard.reason}"
        raise RefusedError(f"database {database}", text, hint=guard.remedy)

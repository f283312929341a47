"""`db.seed` and `db.studio`: they let a script or a person change rows, behind the usual rails."""

from __future__ import annotations

from collections.abc import Callable

from invoke_stack.database import rails
from invoke_stack.database.migrating import Place, Studio, Tool
from invoke_stack.database.rails import Action, Confirm, Consent
from invoke_stack.errors import UsageError
from invoke_stack.events import Report
from invoke_stack.project import Project

DISPOSABLE = frozenset({"dev", "test"})
"""Modes whose database is nobody's loss: nothing is asked and nothing backed up first."""


def precious(place: Place) -> bool:
    """Return whether a database is more than this developer's own."""
    return place.declared.mode.name not in DISPOSABLE or not place.own


def agree(
    project: Project, place: Place, action: Action, consent: Consent, confirm: Confirm
) -> None:
    """Have the user agree to what adds to a database, by the rails first.

    Raises:
        RefusedError: no answer could allow it, or the user said no.
    """
    if place.target is None:
        return
    found = rails.subject(project, place.target)
    asked = rails.judge(found, action, consent, project.settings.db.protected)
    if asked is not None:
        confirm(asked.text, asked.word)
    elif precious(place):
        confirm(rails.question(found, action))


def seed(  # noqa: PLR0913 - what to do, where, and the two ways out
    project: Project,
    place: Place,
    tool: Tool,
    consent: Consent,
    report: Report,
    confirm: Confirm,
) -> None:
    """Fill a database with the project's first rows.

    Raises:
        UsageError: the project has none.
        RefusedError: not agreed to.
        StackError: the seed failed.
    """
    if precious(place):
        action = Action("db.seed", "writes the project's first rows into", destroys=False)
        agree(project, place, action, consent, confirm)
    if not tool.seed(project, place, report):
        hint = (
            "declare one: `migrations.seed` in prisma.config.ts, or a script named seed; "
            "with plain SQL files: seed.sql beside their folder"
        )
        raise UsageError("db.seed", f"{tool.name} knows of no seed here", hint=hint)


def studio(  # noqa: PLR0913 - what to do, where, and the ways out
    project: Project,
    place: Place,
    tool: Tool,
    port: int,
    consent: Consent,
    report: Report,
    confirm: Confirm,
    ready: Callable[[str], None],
) -> None:
    """Serve the tool's user interface for a database until interrupted.

    Raises:
        UsageError: the tool has none, or the port is taken.
        RefusedError: not agreed to.
    """
    if not isinstance(tool, Studio):
        text = f"the migration tool {tool.name} has no user interface"
        raise UsageError("db.studio", text, hint="inv db.shell")
    if precious(place):
        action = Action("db.studio", "lets this machine's browser change", destroys=False)
        agree(project, place, action, consent, confirm)
    tool.studio(project, place, port, report, ready)

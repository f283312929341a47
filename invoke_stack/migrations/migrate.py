"""`db.migrate`: state, plan, backup, confirmation, the tool's own run, and a look afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from invoke_stack.database import backup as backups
from invoke_stack.database import job
from invoke_stack.database.migrating import Development, Place, Resolver, State, Tool
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Note, Planned, Report
from invoke_stack.project import Project

DEVELOPMENT = "dev"
DISPOSABLE = frozenset({"dev", "test"})
"""Modes whose database is nobody's loss: nothing is asked and nothing backed up first."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the flags of `db.migrate` say.

    Attributes:
        name: the name of a new migration.
        create_only: write it, do not apply it.
        plan: only say what would be done.
        applied: record this migration as applied by hand.
        rolled_back: record this failed migration as rolled back.
        interactive: a person sits at the terminal.
    """

    name: str = ""
    create_only: bool = False
    plan: bool = False
    applied: str = ""
    rolled_back: str = ""
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `db.migrate` did.

    Attributes:
        tool: the tool's name.
        applied: the migrations that this run applied, or would apply.
        backup: the file of the backup taken first, or "".
        done: whether anything was run; False for a plan.
    """

    tool: str
    applied: tuple[str, ...]
    backup: str = ""
    done: bool = True


def migrate(  # noqa: PLR0913 - what to do, where, and the two ways out
    project: Project,
    place: Place,
    tool: Tool,
    request: Request,
    report: Report,
    confirm: Callable[[str], None],
) -> Migrated:
    """Bring the database to the project's migrations.

    Raises:
        UsageError: flags that do not fit, a name that is needed, a schema that is not valid.
        RefusedError: not confirmed; the tool would delete data.
        StackError: a migration failed.
    """
    mode = place.declared.mode.name
    _require_fitting(request, mode)
    if request.applied or request.rolled_back:
        return _resolved(project, place, tool, request, report)
    before = tool.state(project, place, report, quick=True)
    if request.plan:
        return Migrated(tool.name, before.pending, done=False)
    if mode == DEVELOPMENT:
        wanted = Development(request.name, request.create_only, request.interactive)
        tool.develop(project, place, wanted, report)
        return _after(project, place, tool, before, report)
    if not before.pending and not before.failed:
        report(Note("nothing is pending"))
        return Migrated(tool.name, (), done=False)
    return _deployed(project, place, tool, before, report, confirm)


def _deployed(  # noqa: PLR0913 - as `migrate`
    project: Project,
    place: Place,
    tool: Tool,
    before: State,
    report: Report,
    confirm: Callable[[str], None],
) -> Migrated:
    mode = place.declared.mode.name
    for name in before.pending:
        report(Note(f"pending: {name}"))
    file = ""
    # An empty database can lose nothing.
    if before.applied and mode not in DISPOSABLE:
        file = _safe(project, place, tool, before, report, confirm)
    try:
        tool.deploy(project, place, report)
    except StackError:
        if file:
            report(Note(f"the backup of before: {file}"))
        raise
    return _after(project, place, tool, before, report, file)


def _safe(  # noqa: PLR0913 - as `migrate`
    project: Project,
    place: Place,
    tool: Tool,
    before: State,
    report: Report,
    confirm: Callable[[str], None],
) -> str:
    """Ask, then back up; return the file, or "" where the setting says to go without."""
    wanted = project.settings.db.safety and place.own
    kept = "a verified backup is taken first" if wanted else "no backup is taken first"
    name = place.target.database if place.target else "the database"
    count = len(before.pending)
    confirm(f"apply {count} migration{'s' * (count != 1)} to {name} ({tool.name}); {kept}. Go on?")
    if not wanted or place.docker is None:
        return ""
    options = job.Options(label="before-migrate", kind="safety")
    made = backups.backup(_of(project, place), place.declared, place.docker, options, report)
    return project.shown(made.file) if made else ""


def _after(  # noqa: PLR0913 - as `migrate`
    project: Project,
    place: Place,
    tool: Tool,
    before: State,
    report: Report,
    file: str = "",
) -> Migrated:
    """Look again: what was pending must be there now."""
    if project.dry:
        report(Planned(f"apply {', '.join(before.pending) or 'nothing'}"))
        return Migrated(tool.name, before.pending, file, done=False)
    after = tool.state(project, place, report, quick=True)
    left = [name for name in before.pending if name in after.pending]
    if left:
        text = f"{left[0]} is still pending although {tool.name} reported success"
        hint = "where it runs in a container, its image may be older: inv stack.up --build"
        raise StackError(f"database {_name(place)}", text, hint=hint)
    applied = tuple(name for name in after.applied if name not in before.applied)
    return Migrated(tool.name, applied, file)


def _resolved(
    project: Project, place: Place, tool: Tool, request: Request, report: Report
) -> Migrated:
    if not isinstance(tool, Resolver):
        raise UsageError("db.migrate", f"{tool.name} has no journal to correct by hand")
    name = request.applied or request.rolled_back
    tool.resolve(project, place, name, report, applied=bool(request.applied))
    return Migrated(tool.name, (), done=not project.dry)


def _require_fitting(request: Request, mode: str) -> None:
    if (request.name or request.create_only) and mode != DEVELOPMENT:
        flag = "--name" if request.name else "--create-only"
        text = f"new migrations are made in dev, and this is {mode}"
        raise UsageError(flag, text, hint=f"inv db.migrate --dev {flag}")
    if request.applied and request.rolled_back:
        raise UsageError("--applied", "contradicts --rolled-back", hint="leave one of them away")


def _of(project: Project, place: Place) -> Project:
    """Return the project with the database of the place, which its settings may not name."""
    db = dataclasses.replace(project.settings.db, name=_name(place))
    return dataclasses.replace(project, settings=dataclasses.replace(project.settings, db=db))


def _name(place: Place) -> str:
    return place.target.database if place.target else "of the URL"

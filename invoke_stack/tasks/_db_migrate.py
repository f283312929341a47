"""`db.*`: migrations, the client, first rows and the studio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_stack.tasks._db_stack import TARGET, around
from invoke_stack.tasks._task import Run, stack_task

if TYPE_CHECKING:
    from invoke_stack.database.migrating import Place, Tool

STUDIO_PORT = 5555
REMOTE = {
    "allow_remote": "Also on a database that is not this stack's.",
    "confirm": "The database's name, in place of typing it.",
    **TARGET,
}


@contextmanager
def migrations(run: Run, target: str = "") -> Iterator[tuple[Tool, Place]]:
    """Yield the project's migration tool and the database that is meant."""
    from invoke_stack.migrations import places, tools

    tool = tools.find(run.project)
    with around(run, needed=not target) as (found, engine):
        yield tool, places.find(run.project, found, engine, run.console.report, target)


@stack_task(
    json=True,
    yes=True,
    help={
        "name": "Make a migration of this name out of the schema's changes (dev).",
        "create_only": "Write the migration, do not apply it (dev).",
        "plan": "Say what is pending and change nothing.",
        "rehearse": "Run what is pending on a copy of the data only, and say what it does there.",
        "applied": "Record that this migration was applied by hand.",
        "rolled_back": "Record that this failed migration was rolled back.",
        **REMOTE,
    },
)
def migrate(  # noqa: PLR0913 - one argument for each flag
    run: Run,
    name: str = "",
    create_only: bool = False,
    plan: bool = False,
    rehearse: bool = False,
    applied: str = "",
    rolled_back: str = "",
    target: str = "",
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Bring the database to the project's migrations; in dev also make new ones."""
    from invoke_stack.database.rails import Consent
    from invoke_stack.migrations import migrate as domain
    from invoke_stack.migrations import rehearse as rehearsing
    from invoke_stack.tasks import _show, _show_migrations, _show_rehearsal

    request = domain.Request(
        name=name,
        create_only=create_only,
        plan=plan,
        applied=applied,
        rolled_back=rolled_back,
        interactive=not run.json and _show.terminal().interactive,
        consent=Consent(allow_remote, confirm),
    )
    with migrations(run, target) as (tool, place):
        report = run.console.report
        if rehearse:
            found = rehearsing.rehearse(run.project, place, tool, request, report, run.confirm)
            _show_rehearsal.rehearsed(run, found)
            return
        done = domain.migrate(run.project, place, tool, request, report, run.confirm)
    _show_migrations.migrated(run, done, plan=plan)


@stack_task(json=True, help=TARGET)
def status(run: Run, target: str = "") -> None:
    """Compare the database with the migrations: pending, failed, edited, drift (exit 3)."""
    from invoke_stack.tasks import _show_migrations

    with migrations(run, target) as (tool, place):
        state = tool.state(run.project, place, run.console.report, quick=False)
    _show_migrations.status(run, state)


@stack_task()
def generate(run: Run) -> None:
    """Generate the database client from the schema; nothing has to run for it."""
    from invoke_stack.migrations import places, tools

    tool, report = tools.find(run.project), run.console.report
    with around(run, needed=False) as (found, engine):
        place = places.unasked(run.project, found, engine, report)
        tool.generate(run.project, place, report)


@stack_task(yes=True, help=REMOTE)
def seed(run: Run, target: str = "", allow_remote: bool = False, confirm: str = "") -> None:
    """Fill the database with the project's first rows."""
    from invoke_stack.database.rails import Consent
    from invoke_stack.migrations import rows

    consent = Consent(allow_remote, confirm)
    with migrations(run, target) as (tool, place):
        rows.seed(run.project, place, tool, consent, run.console.report, run.confirm)


@stack_task(yes=True, help={"port": "Port on this machine; only 127.0.0.1 is served.", **REMOTE})
def studio(
    run: Run,
    port: int = STUDIO_PORT,
    target: str = "",
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Serve the tool's user interface for the browser until ^C."""
    from invoke_stack.database.rails import Consent
    from invoke_stack.migrations import rows

    consent, ready = Consent(allow_remote, confirm), run.console.result
    with migrations(run, target) as (tool, place):
        report, ask = run.console.report, run.confirm
        rows.studio(run.project, place, tool, port, consent, report, ask, ready)

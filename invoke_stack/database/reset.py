"""`db.reset`: an empty database, filled by the project's migrations, in place of the live one.

The live database is not touched before the new one is complete: a migration or a seed that fails
leaves it alone. What was live is kept for `db.restore --undo`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from invoke_stack.database import admin as admins
from invoke_stack.database import housekeeping, rails, swap
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring import preflight
from invoke_stack.database.restoring.request import Restored, undo
from invoke_stack.database.target import Target
from invoke_stack.errors import UsageError
from invoke_stack.events import Planned, Report, Step, silent
from invoke_stack.project import Project

Fill = Callable[[Target], None]
"""Migrates and seeds the database of a target; raises `StackError` when it does not succeed."""


def reset(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    target: Target | None,
    fill: Fill,
    consent: Consent,
    confirm: Confirm,
    report: Report = silent,
) -> Restored | None:
    """Replace a database by a new one.

    Args:
        project: the project.
        target: the database; None where no client of the server reaches it.
        fill: is given the new one, which has the live one's owner, rights and settings already.
        consent: what the flags allow.
        confirm: asks the user.
        report: hears what is done.

    Returns:
        What became of it; None in a dry run.

    Raises:
        RefusedError: a rail.
        BusyError: another run works on this database.
        StackError: it failed; the live database is what it was.
    """
    began = time.monotonic()
    if target is None:
        hint = "start the stack's database: inv stack.up"
        raise UsageError("db.reset", "no client program reaches the database", hint=hint)
    admins.permitted(project, target, "db.reset", consent)
    admin, server = admins.connect(project, target, stakes=True)
    preflight.require_rights(server, target.database)
    action = rails.Action(
        "db.reset",
        housekeeping.warning(admin, server) + "replaces",
        source="an empty one, migrated and seeded",
        kept=swap.promise(admin, server, undo(target.key)),
    )
    if server.database(target.database) is not None:
        rails.require(project, target, action, consent, confirm, admin.stakes)
    if project.dry:
        report(Planned(f"create a database, fill it and rename it to {target.database}"))
        return None
    with admins.locked(admin, report) as (held, found):
        clean = housekeeping.done(held, found, report)
        with swap.fresh(held, swap.Like(clean, dressed=True), report) as new:
            report(Step(f"filling {new.name}"))
            fill(new.target)
            done = new.swap()
    seconds = round(time.monotonic() - began, 2)
    back = undo(target.key) if done.kept else ""
    return Restored(target.database, None, done.kept, done.bytes, done.seconds, seconds, undo=back)

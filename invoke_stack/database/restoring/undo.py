"""`db.restore --undo`: the database that was replaced last becomes the live one again."""

from __future__ import annotations

import time

from invoke_stack import sizes
from invoke_stack.database import admin as admins
from invoke_stack.database import locate, rails, swap
from invoke_stack.database import target as targets
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring.request import Options, Restored
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.events import Planned, Report, silent
from invoke_stack.project import Project


def undo(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Engine | None,
    options: Options,
    consent: Consent,
    confirm: Confirm,
    report: Report = silent,
) -> Restored | None:
    """Bring back what the last restore, reset or rewind replaced; what is live now is dropped.

    Returns:
        What became of it; None in a dry run.

    Raises:
        UsageError: nothing is kept.
        RefusedError: a rail.
    """
    began = time.monotonic()
    if options.folder or options.file != Options().file:
        text = "takes no backup: it brings back what was replaced last"
        raise UsageError("--undo", text, hint="leave out --undo, or --file and --from")
    found = locate.find(project, declared, docker, options.target, report)
    target = targets.with_database(found, options.to_db) if options.to_db else found
    admins.permitted(project, target, "db.restore", consent)
    admin, server = admins.connect(project, target, stakes=True)
    database = admin.target.database
    kept = swap.kept(admin, server)
    if not kept:
        text = "nothing to undo: no database that was replaced is kept"
        hint = "restore a backup: inv db.backups, then inv db.restore --file N"
        raise UsageError(f"database {database}", text, hint=hint)
    last = kept[0]
    if server.database(database) is not None:
        source = f"{last.name} (replaced {last.mark.at}, {sizes.shown(last.database.bytes)})"
        action = rails.Action("db.restore", "replaces", source=source)
        rails.require(project, admin.target, action, consent, confirm, admin.stakes)
    if project.dry:
        report(Planned(f"rename {last.name} to {database} and drop what is live now"))
        return None
    with admins.locked(admin, report) as (held, server):
        done = swap.undo(held, server, last, report)
    seconds = round(time.monotonic() - began, 2)
    return Restored(database, None, downtime=done.seconds, seconds=seconds)

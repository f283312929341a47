"""The stack's database: waiting for it, migrating it, backing it up, proving the backups.

The tasks stand in the `_db_*` modules by what they do; this module is the collection.
"""

from __future__ import annotations

from invoke_stack.tasks._db_backup import backup, backups, pin, prune, verify
from invoke_stack.tasks._db_client import repair, shell, url
from invoke_stack.tasks._db_migrate import generate, migrate, seed, status, studio
from invoke_stack.tasks._db_restore import reset, restore, rewind, snapshot
from invoke_stack.tasks._db_stack import TARGET, around
from invoke_stack.tasks._db_upgrade import upgrade
from invoke_stack.tasks._task import Run, require_seconds, stack_task

__all__ = [
    "backup",
    "backups",
    "generate",
    "migrate",
    "pin",
    "prune",
    "repair",
    "reset",
    "restore",
    "rewind",
    "seed",
    "shell",
    "snapshot",
    "status",
    "studio",
    "upgrade",
    "url",
    "verify",
    "wait",
]


@stack_task(json=True, help={"timeout": "Seconds to wait (0: the setting db.timeout).", **TARGET})
def wait(run: Run, timeout: int = 0, target: str = "") -> None:
    """Wait until the app's own database answers."""
    from invoke_stack.database import wait as domain

    require_seconds(timeout)
    with around(run, needed=not target) as (found, engine):
        ready = domain.wait(run.project, found, engine, timeout, run.console.report, target)
    if run.json:
        run.console.document(
            {"service": ready.service, "database": ready.database, "seconds": ready.seconds}
        )
    run.console.note(f"{ready.service}: {ready.database} is ready ({ready.seconds:.1f} s)")

"""`db.*`: writing, listing and proving backups."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import TARGET, around
from invoke_stack.tasks._task import Run, stack_task


@stack_task(
    json=True,
    help={
        "label": "A word in the file's name: a-z, 0-9 and -.",
        "to": "Write into this folder.",
        "fast": "Skip the full decode; the checksum is taken all the same.",
        **TARGET,
    },
)
def backup(run: Run, label: str = "", to: str = "", fast: bool = False, target: str = "") -> None:
    """Write one verified backup of the database, or nothing."""
    from invoke_stack.database import backup as domain
    from invoke_stack.tasks import _show_db

    options = domain.Options(label=label, to=to, fast=fast, target=target)
    with around(run, needed=not target) as (found, engine):
        made = domain.backup(run.project, found, engine, options, run.console.report)
    if made is not None:
        _show_db.made(run, made)


@stack_task(json=True, help={"from_": "Look in this folder."})
def backups(run: Run, from_: str = "") -> None:
    """List the backups, newest first, without asking a database."""
    from invoke_stack.database import catalog
    from invoke_stack.tasks import _show_db

    _show_db.listed(run, catalog.entries(catalog.root(run.project, from_)))


@stack_task(
    json=True,
    help={"file": "latest, a number from db.backups, the beginning of a name, or a path."},
)
def verify(run: Run, file: str = "latest") -> None:
    """Prove that a backup is whole: size, checksum, full decode."""
    from invoke_stack.database import catalog
    from invoke_stack.database import verify as domain
    from invoke_stack.tasks import _show_db

    found = catalog.entries(catalog.root(run.project))
    entry = catalog.resolve(run.project, file, found)
    _show_db.verified(run, domain.verify(run.project, entry, run.console.report))

"""The stack's database: waiting for it, backing it up, proving the backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_stack.tasks._task import Run, require_seconds, stack_task

if TYPE_CHECKING:
    from invoke_stack.engines.docker import Docker
    from invoke_stack.environment.declared import Declared


@contextmanager
def _stack(run: Run) -> Iterator[tuple[Declared, Docker]]:
    """Yield the stack that runs and its engine."""
    from invoke_stack.engines import docker
    from invoke_stack.stack import known

    ours = known.find(run.project, run.console.report)
    declared = ours.require_declared()
    with docker.connect(run.project) as engine:
        known.containers(run.project, ours, engine)
        yield declared, engine


@stack_task(json=True, help={"timeout": "Seconds to wait (0: the setting db.timeout)."})
def wait(run: Run, timeout: int = 0) -> None:
    """Wait until the app's own database answers."""
    from invoke_stack.database import wait as domain

    require_seconds(timeout)
    with _stack(run) as (found, engine):
        ready = domain.wait(run.project, found, engine, timeout, run.console.report)
    if run.json:
        run.console.document(
            {"service": ready.service, "database": ready.database, "seconds": ready.seconds}
        )
    run.console.note(f"{ready.service}: {ready.database} is ready ({ready.seconds:.1f} s)")


@stack_task(
    json=True,
    help={
        "label": "A word in the file's name: a-z, 0-9 and -.",
        "to": "Write into this folder.",
        "fast": "Skip the full decode; the checksum is taken all the same.",
    },
)
def backup(run: Run, label: str = "", to: str = "", fast: bool = False) -> None:
    """Write one verified backup of the database, or nothing."""
    from invoke_stack.database import backup as domain
    from invoke_stack.tasks import _show_db

    options = domain.Options(label=label, to=to, fast=fast)
    with _stack(run) as (found, engine):
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

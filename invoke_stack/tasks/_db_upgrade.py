"""`db.*`: the data of an older major version of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack.tasks._db_stack import running_stack
from invoke_stack.tasks._task import Run, stack_task

if TYPE_CHECKING:
    from invoke_stack.database.upgrading.kept import Upgraded


@stack_task(
    json=True,
    yes=True,
    help={
        "from_image": "An image of the old version; one is found or pulled by default.",
        "undo": "Put back what the last upgrade kept.",
        "drop_old": "Remove for good what upgrades have kept.",
    },
)
def upgrade(run: Run, from_image: str = "", undo: bool = False, drop_old: bool = False) -> None:
    """Move the volume's data to the image's PostgreSQL version; the old content is kept."""
    from invoke_stack.database.upgrading import kept
    from invoke_stack.database.upgrading import upgrade as domain
    from invoke_stack.engines import opening
    from invoke_stack.engines.docker import Docker
    from invoke_stack.errors import UsageError

    if undo and drop_old:
        raise UsageError("--undo", "contradicts --drop-old", hint="leave one of them away")
    project, report = run.project, run.console.report
    opening.docker_only(project, "db.upgrade", "inv db.backup, new data, inv db.restore")
    with running_stack(run) as (found, engine):
        assert isinstance(engine, Docker)  # noqa: S101 - for the type checker
        if drop_old:
            _dropped(run, kept.drop(project, found, engine, run.confirm, report))
        elif undo:
            _undone(run, kept.undo(project, found, engine, run.confirm, report))
        else:
            done = domain.upgrade(project, found, engine, from_image, run.confirm, report)
            _upgraded(run, done)


def _upgraded(run: Run, done: Upgraded | None) -> None:
    if run.json:
        run.console.document(done.mapping() if done else {"service": None})
    elif done:
        run.console.result(f"{done.service}: PostgreSQL {done.before} to {done.after}")
        _told(run, done)
        run.console.note(f"kept: volume {done.kept}; back with: inv db.upgrade --undo")
        run.console.note("start it with: inv stack.up")
    elif not run.project.dry:
        run.console.note("nothing to upgrade: the volume is of the image's version")


def _undone(run: Run, done: Upgraded | None) -> None:
    if run.json:
        run.console.document(done.mapping() if done else {"service": None})
    elif done:
        run.console.result(f"{done.service}: PostgreSQL {done.after} again")
        _told(run, done)
        run.console.note(f"set its image to PostgreSQL {done.after}, then: inv stack.up")


def _told(run: Run, done: Upgraded) -> None:
    for file in done.backups:
        run.console.note(f"backup: {file}")


def _dropped(run: Run, names: tuple[str, ...]) -> None:
    if run.json:
        run.console.document({"dropped": list(names)})
        return
    for name in names:
        run.console.result(name)

"""`db.*`: bringing content back, and starting anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack.tasks._db_migrate import migrations
from invoke_stack.tasks._db_stack import TARGET, around
from invoke_stack.tasks._task import Run, stack_task

if TYPE_CHECKING:
    from invoke_stack.database.rails import Consent

_SNAPSHOT = "Its name: a-z, 0-9 and -."
_REMOTE = {
    "allow-remote": "Also when the database is not this stack's.",
    "confirm": "The database's name, in place of typing it.",
    **TARGET,
}


@stack_task(
    json=True,
    yes=True,
    help={
        "file": "latest, a number from db.backups, the beginning of a name, or a path (also .sql, "
        ".sql.gz, .sql.zst).",
        "from_": "Look in this folder.",
        "to-db": "Into this database of the same server; it is made if it is not there.",
        "no-owner": "Everything belongs to the user who restores.",
        "create-roles": "Make the roles that are missing, without login.",
        "in-place": "Go over what is there; only for a user who may not create databases.",
        "safety-dump": "Write a backup of the live database first.",
        "force": "Try a dump of a newer server.",
        "undo": "Bring back what the last restore, reset or rewind replaced.",
        **_REMOTE,
    },
)
def restore(  # noqa: PLR0913 - the flags of one task
    run: Run,
    file: str = "latest",
    from_: str = "",
    to_db: str = "",
    no_owner: bool = False,
    create_roles: bool = False,
    in_place: bool = False,
    safety_dump: bool = False,
    force: bool = False,
    undo: bool = False,
    target: str = "",
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Restore a backup into a new database, then swap it in; the old one is kept."""
    from invoke_stack.database.rails import Consent
    from invoke_stack.database.restoring import request
    from invoke_stack.database.restoring import restore as domain
    from invoke_stack.database.restoring import undo as undoing
    from invoke_stack.tasks import _show_restore

    act = undoing.undo if undo else domain.restore
    consent, owner = Consent(remote=allow_remote, name=confirm), not no_owner
    options = request.Options(
        file, from_, to_db, owner, create_roles, in_place, safety_dump, force, target
    )
    with around(run, needed=not target) as (found, engine):
        done = act(run.project, found, engine, options, consent, run.confirm, run.console.report)
    if done is not None:
        _show_restore.restored(run, done)


@stack_task(
    json=True,
    yes=True,
    help={
        "seed": "With --no-seed: leave it without first rows.",
        "volume": "On a fresh volume, after a backup of the whole server; nothing is kept in it.",
        **_REMOTE,
    },
)
def reset(  # noqa: PLR0913 - the flags of one task
    run: Run,
    seed: bool = True,
    volume: bool = False,
    target: str = "",
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Swap in a new, migrated and seeded database; the old one is kept."""
    from invoke_stack.database import reset as domain
    from invoke_stack.database.rails import Consent
    from invoke_stack.migrations.fresh import filler
    from invoke_stack.tasks import _show_restore

    consent, report = Consent(remote=allow_remote, name=confirm), run.console.report
    if volume:
        _renewed(run, consent, target, seed=seed)
        return
    with migrations(run, target) as (tool, place):
        fill = filler(run.project, tool, place, report, seed=seed)
        done = domain.reset(run.project, place.target, fill, consent, run.confirm, report)
    if done is not None:
        _show_restore.restored(run, done)


def _renewed(run: Run, consent: Consent, target: str, *, seed: bool) -> None:
    """Have a fresh volume under the stack's database."""
    from invoke_stack.database import renew
    from invoke_stack.engines import opening
    from invoke_stack.engines.docker import Docker
    from invoke_stack.errors import UsageError
    from invoke_stack.migrations.fresh import filler
    from invoke_stack.stack import up
    from invoke_stack.tasks import _show_restore

    project, report = run.project, run.console.report
    if target:
        raise UsageError("--volume", "contradicts --target", hint="leave one of them away")
    opening.docker_only(project, "db.reset --volume", "inv db.reset")
    with migrations(run) as (_, place):
        assert isinstance(place.docker, Docker) and place.target  # noqa: S101, PT018 - its type
        service = place.target.service

        def fill() -> None:
            up.up(project, up.Request(services=(service,)), report)
            with migrations(run) as (tool, fresh):
                assert fresh.target is not None  # noqa: S101 - the stack's own always has one
                filler(project, tool, fresh, report, seed=seed)(fresh.target)

        done = renew.renew(project, place.docker, place.target, fill, consent, run.confirm, report)
    if done is not None:
        _show_restore.renewed(run, done)


@stack_task(
    json=True, help={"name": _SNAPSHOT, "delete": "Drop the snapshot of that name.", **TARGET}
)
def snapshot(run: Run, name: str = "", delete: bool = False, target: str = "") -> None:
    """Copy the database inside its server in seconds: an undo, no backup."""
    from invoke_stack.database import snapshot as domain
    from invoke_stack.tasks import _show_restore

    with around(run, needed=not target) as (found, engine):
        if delete:
            gone = domain.delete(run.project, found, engine, name, target)
            _show_restore.dropped(run, gone)
            return
        made = domain.snapshot(run.project, found, engine, name, run.console.report, target)
    if made is not None:
        _show_restore.snapshot(run, made, target)


@stack_task(json=True, yes=True, help={"name": "The snapshot; the newest by default.", **_REMOTE})
def rewind(
    run: Run,
    name: str = "",
    target: str = "",
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Go back to a snapshot; it stays, and what is live now is kept."""
    from invoke_stack.database import snapshot as domain
    from invoke_stack.database.rails import Consent
    from invoke_stack.tasks import _show_restore

    consent, report = Consent(remote=allow_remote, name=confirm), run.console.report
    with around(run, needed=not target) as (found, engine):
        done = domain.rewind(run.project, found, engine, name, consent, run.confirm, report, target)
    if done is not None:
        _show_restore.restored(run, done)

"""`db.*`: bringing content back."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import running_stack
from invoke_stack.tasks._task import Run, stack_task

_SNAPSHOT = "Its name: a-z, 0-9 and -."
_REMOTE = {
    "allow-remote": "Also when the database is not this stack's.",
    "confirm": "The database's name, in place of typing it.",
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
    allow_remote: bool = False,
    confirm: str = "",
) -> None:
    """Restore a backup into a new database, then swap it in; the old one is kept."""
    from invoke_stack.database.rails import Consent
    from invoke_stack.database.restoring import request
    from invoke_stack.database.restoring import restore as domain
    from invoke_stack.database.restoring import undo as undoing
    from invoke_stack.tasks import _show_restore

    consent = Consent(remote=allow_remote, name=confirm)
    with running_stack(run) as (found, engine):
        if undo:
            done = undoing.undo(
                run.project, found, engine, to_db, consent, run.confirm, run.console.report
            )
        else:
            options = request.Options(
                file, from_, to_db, not no_owner, create_roles, in_place, safety_dump, force
            )
            done = domain.restore(
                run.project, found, engine, options, consent, run.confirm, run.console.report
            )
    if done is not None:
        _show_restore.restored(run, done)


@stack_task(json=True, help={"name": _SNAPSHOT, "delete": "Drop the snapshot of that name."})
def snapshot(run: Run, name: str = "", delete: bool = False) -> None:
    """Copy the database inside its server in seconds: an undo, no backup."""
    from invoke_stack.database import snapshot as domain
    from invoke_stack.tasks import _show_restore

    with running_stack(run) as (found, engine):
        if delete:
            gone = domain.delete(run.project, found, engine, name)
            _show_restore.dropped(run, gone)
            return
        made = domain.snapshot(run.project, found, engine, name, run.console.report)
    if made is not None:
        _show_restore.snapshot(run, made)


@stack_task(json=True, yes=True, help={"name": "The snapshot; the newest by default.", **_REMOTE})
def rewind(run: Run, name: str = "", allow_remote: bool = False, confirm: str = "") -> None:
    """Go back to a snapshot; it stays, and what is live now is kept."""
    from invoke_stack.database import snapshot as domain
    from invoke_stack.database.rails import Consent
    from invoke_stack.tasks import _show_restore

    consent = Consent(remote=allow_remote, name=confirm)
    with running_stack(run) as (found, engine):
        done = domain.rewind(
            run.project, found, engine, name, consent, run.confirm, run.console.report
        )
    if done is not None:
        _show_restore.restored(run, done)

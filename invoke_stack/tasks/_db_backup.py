"""`db.*`: writing, listing, proving and pruning backups."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import TARGET, around
from invoke_stack.tasks._task import Run, stack_task

FILE = "latest, a number from db.backups, the beginning of a name, or a path."


@stack_task(
    json=True,
    help={
        "label": "A word in the file's name: a-z, 0-9 and -.",
        "to": "Write into this folder.",
        "fast": "Skip the full decode; the checksum is taken all the same.",
        "format": "custom, or plain, plain.gz: a script for people; never pruned.",
        "globals": "Save roles and tablespaces beside it, without passwords.",
        "pin": "Never prune it.",
        "wait": "Wait for another run that is busy with the database.",
        **TARGET,
    },
)
def backup(  # noqa: PLR0913 - its flags
    run: Run,
    label: str = "",
    to: str = "",
    fast: bool = False,
    format: str = "custom",  # noqa: A002 - the contract's own word
    globals: bool = False,  # noqa: A002
    pin: bool = False,
    wait: bool = False,
    target: str = "",
) -> None:
    """Write one verified backup of the database, or nothing."""
    from invoke_stack.database import backup as domain
    from invoke_stack.database import job
    from invoke_stack.tasks import _show_db

    options = job.Options(label, to, fast, format, globals, pin, wait, target=target)
    options.check()
    with around(run, needed=not target) as (found, engine):
        made = domain.backup(run.project, found, engine, options, run.console.report)
    if made is not None:
        _show_db.made(run, made)


@stack_task(json=True, help={"from_": "Look in this folder."})
def backups(run: Run, from_: str = "") -> None:
    """List the backups, newest first, and the snapshots."""
    from invoke_stack.database import catalog
    from invoke_stack.tasks import _show_db, _show_restore

    folder = catalog.source(run.project, from_)
    snapshots = _show_restore.snapshots(run, from_)
    also = [each.mapping() for each in snapshots]
    _show_db.listed(run, catalog.entries(folder), also)
    _show_restore.listed(run, snapshots)


@stack_task(
    json=True,
    help={
        "file": FILE,
        "restore": "Prove it in a temporary database, which is dropped again.",
        "adopt": "Write the manifest of a dump that has none, once it was read to its end.",
    },
)
def verify(run: Run, file: str = "latest", restore: bool = False, adopt: bool = False) -> None:
    """Prove that a backup is whole: size, checksum, decoding; with --restore, that it works."""
    from invoke_stack.database import adopt as adoption
    from invoke_stack.database import catalog
    from invoke_stack.database import verify as domain
    from invoke_stack.tasks import _show_db

    entry = catalog.named(run.project, file)
    if adopt:
        adoption.adopt(run.project, entry, run.console.report)
        if run.project.dry:
            return
        entry = catalog.entry(entry.file)
    result = domain.verify(run.project, entry, run.console.report, restore=restore)
    _show_db.verified(run, result)


@stack_task(
    json=True,
    yes=True,
    help={"orphans": "Also remove what killed runs left and manifests whose backup is gone."},
)
def prune(run: Run, orphans: bool = False) -> None:
    """Delete the backups that the setting db.keep does not keep."""
    from invoke_stack.database import catalog
    from invoke_stack.database import prune as domain
    from invoke_stack.tasks import _show_db

    chosen = domain.plan(run.project, catalog.root(run.project), orphans=orphans)
    if chosen.leaving or chosen.strays:
        run.confirm(_show_db.question(chosen))
    domain.carry_out(run.project, chosen, run.console.report)
    if not run.project.dry:
        _show_db.pruned(run, chosen)


@stack_task(json=True, help={"file": FILE, "off": "Let db.prune delete it again."})
def pin(run: Run, file: str = "latest", off: bool = False) -> None:
    """Keep a backup whatever db.prune would say."""
    from invoke_stack.database import catalog
    from invoke_stack.tasks import _show_db

    entry = catalog.named(run.project, file)
    done = catalog.pin(run.project, entry, pinned=not off, report=run.console.report)
    if not run.project.dry:
        _show_db.pinned(run, done)

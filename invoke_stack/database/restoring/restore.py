"""`db.restore`: a dump into a new database beside the live one, checked, then exchanged.

That there is such a file is looked at before any server is asked. It is proved first, then the
flags and the owner's marks, then the server; only then is anything created. Whatever fails or
interrupts before the exchange drops the new database.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator

from invoke_stack.database import admin as admins
from invoke_stack.database import backup, housekeeping, locate, swap
from invoke_stack.database import job as backups
from invoke_stack.database import target as targets
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring import contents, load, planning, preflight, source
from invoke_stack.database.restoring.contents import Opened
from invoke_stack.database.restoring.request import Job, Options, Restored, undo
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Report, Step, silent
from invoke_stack.project import Project


def restore(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Engine | None,
    options: Options,
    consent: Consent,
    confirm: Confirm,
    report: Report = silent,
) -> Restored | None:
    """Restore a dump into the stack's database.

    Returns:
        What became of it; None in a dry run, which reports what it would do.

    Raises:
        RefusedError: a rail, a damaged file, or a dump that this server cannot take.
        UsageError: no such dump, or something that it needs is missing here.
        BusyError: another run works on this database.
        StackError: it failed; the live database is what it was.
    """
    began = time.monotonic()
    options.check()
    source.require(project, options.file, options.folder)
    found = locate.find(project, declared, docker, options.target, report)
    entry = source.find(project, options.file, options.folder, found.database)
    target = targets.with_database(found, options.to_db) if options.to_db else found
    admins.permitted(project, target, "db.restore", consent)
    with admins.machine(project, target) as machine:
        admin, server = admins.connect(project, target, stakes=True)
        opened = source.opened(project, target, entry, report)
        job = Job(admin, opened, server, machine(), options, report)
    planning.require(job)
    planning.allow(job, consent, confirm)
    if project.dry:
        planning.tell(job)
        return None
    if job.server.database(job.database) and (options.safety_dump or options.in_place):
        label, key = "before-restore", options.target
        safe = backups.Options(kind="safety", label=label, target=key)
        named = _named(project, job.database) if options.to_db else project
        made = backup.backup(named, declared, docker, safe, report)
        report(Note(f"backup: {made.file}" if made else ""))
    with admins.locked(admin, report) as (held, found_now):
        clean = housekeeping.done(held, found_now, report)
        held_job = dataclasses.replace(job, admin=held, server=clean)
        swapped = _in_place(held_job) if options.in_place else _swapped(held_job)
    seconds = round(time.monotonic() - began, 2)
    file, (kept, size, downtime) = opened.file, swapped
    back = undo(options.target, options.to_db) if kept else ""
    return Restored(job.database, file, kept, size, downtime, seconds, undo=back)


def _named(project: Project, database: str) -> Project:
    db = dataclasses.replace(project.settings.db, name=database)
    return dataclasses.replace(project, settings=dataclasses.replace(project.settings, db=db))


def _swapped(job: Job) -> tuple[str, int, float]:
    manifest = job.source.entry.manifest
    like = swap.Like(job.server, manifest.source if manifest else {})
    with (
        _opened(job) as dump,
        _roles(job, dump) as privileges,
        swap.fresh(job.admin, like, job.report) as new,
    ):
        job.report(Step(f"restoring {job.source.file.name} into {new.name}"))
        core = dump.needs.extensions <= {"plpgsql"}
        how = load.Options(job.jobs, job.options.owner, privileges, parallel=core)
        dump.fill(new.target, how)
        load.finish(job.admin, new.target, job.jobs, dump.wanted, job.report)
        done = new.swap()
    return done.kept, done.bytes, done.seconds


def _in_place(job: Job) -> tuple[str, int, float]:
    began = time.monotonic()
    with _opened(job) as dump, _roles(job, dump) as privileges:
        job.report(Step(f"restoring {job.source.file.name} over {job.database}"))
        how = load.Options(1, job.options.owner, privileges, in_place=True)
        dump.fill(job.admin.target, how)
        load.finish(job.admin, job.admin.target, job.jobs, dump.wanted, job.report)
    return "", 0, round(time.monotonic() - began, 2)


@contextlib.contextmanager
def _opened(job: Job) -> Iterator[Opened]:
    reader = contents.archive if job.source.kind == "archive" else contents.plain
    owner, report = job.options.owner, job.report
    with reader(job.admin, job.source, job.server, owner=owner, report=report) as dump:
        preflight.require_version(dump.needs.server, job.server, force=job.options.force)
        preflight.require_extensions(dump.needs, job.server)
        yield dump


@contextlib.contextmanager
def _roles(job: Job, dump: Opened) -> Iterator[bool]:
    """Make missing roles for the time of the block, for good if it succeeds.

    Yields:
        Whether privileges can be given: not to roles that are not there.
    """
    missing = preflight.missing_roles(dump.needs, job.server)
    if not job.options.create_roles:
        preflight.require_roles(missing, job.server.user)
    unknown = sorted(dump.needs.unknown)
    if unknown:
        job.report(Note(f"privileges are left out: {', '.join(unknown)} are not there"))
    restorer = job.admin.restorer
    try:
        if missing:
            job.admin.change("".join(restorer.role(name) for name in missing))
            job.report(Note(f"made roles without login: {', '.join(missing)}"))
        yield not unknown
    except BaseException:
        if missing:
            with contextlib.suppress(StackError):
                job.admin.change("".join(restorer.drop_role(name) for name in missing))
        raise

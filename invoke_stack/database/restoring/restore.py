"""`db.restore`: a dump into a new database beside the live one, checked, then exchanged.

The file is proved first, then the flags and the owner's marks, then the server; only then is
anything created. Whatever fails or interrupts before the exchange drops the new database.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_stack.database import admin as admins
from invoke_stack.database import backup, housekeeping, rails, swap, variants
from invoke_stack.database import job as backups
from invoke_stack.database import target as targets
from invoke_stack.database.admin import Admin
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring import contents, load, preflight, source
from invoke_stack.database.restoring.contents import Opened
from invoke_stack.database.restoring.source import Source
from invoke_stack.database.state import Machine, Server
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Note, Planned, Report, Step, Warned, silent
from invoke_stack.project import Project

UNDO = "inv db.restore --undo"


@dataclass(frozen=True, slots=True)
class Options:
    """What the flags of `db.restore` say.

    Attributes:
        file: as `catalog.resolve` takes it.
        folder: another folder of backups than the setting's.
        to_db: another database on the same server; it is made if it is not there.
        owner: objects get their owners back.
        create_roles: make the roles that are missing, without login.
        in_place: go over what is there; only for users who may not create databases.
        safety_dump: write a backup of the live database first.
        force: try a dump of a newer server.
    """

    file: str = "latest"
    folder: str = ""
    to_db: str = ""
    owner: bool = True
    create_roles: bool = False
    in_place: bool = False
    safety_dump: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """A database with new content.

    Attributes:
        snapshot: the one that it came from, if it was no file.
        kept: the database that was live, under its new name, or "".
        bytes: its size.
        downtime: how long nobody could connect, in seconds.
        seconds: everything, checks included.
    """

    database: str
    file: Path | None
    kept: str = ""
    bytes: int = 0
    downtime: float = 0.0
    seconds: float = 0.0
    snapshot: str = ""

    def mapping(self) -> dict[str, Any]:
        """Return the document of `db.restore --json`."""
        file = str(self.file) if self.file else None
        return {**dataclasses.asdict(self), "file": file}


@dataclass(frozen=True, slots=True)
class _Job:
    admin: Admin
    source: Source
    server: Server
    machine: Machine
    options: Options
    report: Report

    @property
    def database(self) -> str:
        return self.admin.target.database

    @property
    def jobs(self) -> int:
        return max(1, min(load.JOBS, self.machine.cpus))


def restore(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Docker,
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
    found = targets.find(project, declared, docker)
    entry = source.find(project, options.file, options.folder, found.database)
    target = admins.at(found, options.to_db) if options.to_db else found
    admin, server = admins.connect(project, target)
    opened = source.opened(project, target, entry, report)
    job = _Job(admin, opened, server, admin.machine(), options, report)
    _preflight(job)
    _allowed(job, consent, confirm)
    if project.dry:
        _plan(job)
        return None
    if job.server.database(job.database) and (options.safety_dump or options.in_place):
        safe = backups.Options(kind="safety", label="before-restore")
        made = backup.backup(_named(project, job.database), declared, docker, safe, report)
        report(Note(f"backup: {made.file}" if made else ""))
    with admins.locked(admin, report) as (held, found_now):
        clean = housekeeping.done(held, found_now, report)
        held_job = dataclasses.replace(job, admin=held, server=clean)
        swapped = _in_place(held_job) if options.in_place else _swapped(held_job)
    seconds = round(time.monotonic() - began, 2)
    file, (kept, size, downtime) = opened.file, swapped
    return Restored(job.database, file, kept, size, downtime, seconds)


def _named(project: Project, database: str) -> Project:
    db = dataclasses.replace(project.settings.db, name=database)
    return dataclasses.replace(project, settings=dataclasses.replace(project.settings, db=db))


def _preflight(job: _Job) -> None:
    options, server, manifest = job.options, job.server, job.source.entry.manifest
    if options.in_place:
        _require_in_place(job)
    else:
        preflight.require_rights(server, job.database)
    preflight.require_version(manifest.server if manifest else "", server, force=options.force)
    if job.source.header is not None:
        needed = job.admin.restorer.needs(job.source.header)
        preflight.require_reader(job.source, needed, job.machine)
    expected = manifest.source.get("database_bytes") if manifest else 0
    preflight.require_room(job.machine, expected if isinstance(expected, int) else 0)


def _require_in_place(job: _Job) -> None:
    if job.server.creates:
        text = f"not needed: user {job.server.user} may create databases"
        raise UsageError("--in-place", text, hint="leave it out: then a failure changes nothing")
    if job.source.kind == "plain":
        text = "a plain dump cannot be undone half-way, so it never goes over a live database"
        hint = f"let a superuser run: ALTER ROLE {job.server.user} CREATEDB"
        raise UsageError("--in-place", text, hint=hint)
    text = "in place: objects that the dump does not have stay, clients are kept waiting"
    job.report(Warned(text, "nothing is exchanged, so --undo cannot help: a backup is made first"))


def _allowed(job: _Job, consent: Consent, confirm: Confirm) -> None:
    admin, project = job.admin, job.admin.project
    live = job.server.database(job.database)
    kept = f"the old content, for {swap.KEPT_DAYS} days; back with: {UNDO}"
    if job.options.to_db:
        kept += f" --to-db {job.options.to_db}"
    if job.options.in_place:
        kept = "a backup of it"
    action = rails.Action(
        task="db.restore",
        text=housekeeping.warning(admin, job.server) + "replaces",
        destroys=live is not None,
        source=job.source.text(project),
        kept=kept if live else "",
    )
    if live is not None:
        rails.require(project, admin.target, action, consent, confirm)
        return
    subject = rails.Subject(job.database, admin.target.service)
    asked = rails.judge(subject, action, consent, project.settings.db.protected)
    if asked is not None:
        confirm(asked.text, asked.word)


def _plan(job: _Job) -> None:
    report, database, admin = job.report, job.database, job.admin
    for each in housekeeping.unfinished(admin, job.server):
        report(Planned(f"drop {each.name}, left by a run that was killed"))
    if job.options.safety_dump or job.options.in_place:
        report(Planned(f"write a backup of {database}"))
    if job.options.in_place:
        new = database
    else:
        longest = admin.restorer.longest
        new = variants.free_name(job.server, database, "new", longest)
        report(Planned(f"create the database {new}"))
    how = load.Options(job.jobs, job.options.owner, in_place=job.options.in_place)
    target = admins.at(admin.target, new)
    if job.source.kind == "archive":
        command = load.archive_command(admin, target, "/tmp/FILE", how)  # noqa: S108 - shown only
    else:
        command = target.inside(admin.restorer.script(), fed=True)
    admin.project.runner.capture(command)  # a dry run prints it
    if not job.options.in_place:
        kept = ", keep the old one" if job.server.database(database) else ""
        report(Planned(f"rename {new} to {database}{kept}"))


def _swapped(job: _Job) -> tuple[str, int, float]:
    manifest = job.source.entry.manifest
    like = swap.Like(job.server, manifest.source if manifest else {})
    with (
        _opened(job) as dump,
        _roles(job, dump) as privileges,
        swap.fresh(job.admin, like, job.report) as new,
    ):
        job.report(Step(f"restoring {job.source.file.name} into {new.name}"))
        how = load.Options(job.jobs, job.options.owner, privileges)
        dump.fill(new.target, how)
        load.analyze(job.admin, new.target, job.jobs, job.report)
        done = new.swap()
    return done.kept, done.bytes, done.seconds


def _in_place(job: _Job) -> tuple[str, int, float]:
    began = time.monotonic()
    with _opened(job) as dump, _roles(job, dump) as privileges:
        job.report(Step(f"restoring {job.source.file.name} over {job.database}"))
        how = load.Options(1, job.options.owner, privileges, in_place=True)
        dump.fill(job.admin.target, how)
        load.analyze(job.admin, job.admin.target, job.jobs, job.report)
    return "", 0, round(time.monotonic() - began, 2)


@contextlib.contextmanager
def _opened(job: _Job) -> Iterator[Opened]:
    reader = contents.archive if job.source.kind == "archive" else contents.plain
    owner, report = job.options.owner, job.report
    with reader(job.admin, job.source, job.server, owner=owner, report=report) as dump:
        preflight.require_version(dump.needs.server, job.server, force=job.options.force)
        preflight.require_extensions(dump.needs, job.server)
        yield dump


@contextlib.contextmanager
def _roles(job: _Job, dump: Opened) -> Iterator[bool]:
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

"""Before anything is changed: may it be, does it fit, and what would be done."""

from __future__ import annotations

from invoke_stack.database import housekeeping, rails, swap, variants
from invoke_stack.database import target as targets
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring import load, preflight
from invoke_stack.database.restoring.request import Job, undo
from invoke_stack.errors import UsageError
from invoke_stack.events import Planned, Warned


def require(job: Job) -> None:
    """Require what is known before the file is opened: rights, versions, room.

    Raises:
        UsageError: a right is missing.
        RefusedError: the server or its programs are too old.
        StackError: there is too little room.
    """
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


def _require_in_place(job: Job) -> None:
    if job.server.creates:
        text = f"not needed: user {job.server.user} may create databases"
        raise UsageError("--in-place", text, hint="leave it out: then a failure changes nothing")
    if job.source.kind == "plain":
        text = "a plain dump cannot be undone half-way, so it never goes over a live database"
        hint = f"let a superuser run: ALTER ROLE {job.server.user} CREATEDB"
        raise UsageError("--in-place", text, hint=hint)
    text = "in place: objects that the dump does not have stay, clients are kept waiting"
    job.report(Warned(text, "nothing is exchanged, so --undo cannot help: a backup is made first"))


def allow(job: Job, consent: Consent, confirm: Confirm) -> None:
    """Have the rails and the user agree.

    Raises:
        RefusedError: one of them does not.
    """
    admin, project = job.admin, job.admin.project
    live = job.server.database(job.database)
    back = undo(job.options.target, job.options.to_db)
    kept = swap.promise(admin, job.server, back)
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
        rails.require(project, admin.target, action, consent, confirm, admin.stakes)
        return
    host = admin.target.host or admin.target.service
    subject = rails.Subject(job.database, host, admin.target.place)
    asked = rails.judge(subject, action, consent, project.settings.db.protected)
    if asked is not None:
        confirm(asked.text, asked.word)


def tell(job: Job) -> None:
    """Tell what a dry run would do."""
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
    target = targets.with_database(admin.target, new)
    if job.source.kind == "archive":
        path = "/tmp/FILE" if target.container else str(job.source.file)  # noqa: S108 - shown only
        command = load.archive_command(admin, target, path, how)
    else:
        command = target.inside(admin.restorer.script(), fed=True)
    admin.project.runner.capture(command)  # a dry run prints it
    if not job.options.in_place:
        kept = ", keep the old one" if job.server.database(database) else ""
        report(Planned(f"rename {new} to {database}{kept}"))

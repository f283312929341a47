"""`db.migrate --rehearse`: what is pending, run on a copy of the real data and thrown away.

The copy is the server's own (`CREATE DATABASE … TEMPLATE`), so it has every row, and costs the
live database one disconnection of its clients, who have to wait until the copy is made. The tool
is handed the copy's address; nothing is written to the live database.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from invoke_stack.database import admin as admins
from invoke_stack.database import housekeeping, rails, rehearser, swap
from invoke_stack.database import target as targets
from invoke_stack.database.admin import Admin
from invoke_stack.database.migrating import Place, Scripted, State, Tool
from invoke_stack.database.rails import Action, Confirm
from invoke_stack.database.rehearser import Rehearser, Seen, Table
from invoke_stack.database.restoring import preflight
from invoke_stack.database.state import Server
from invoke_stack.database.swap import Fresh
from invoke_stack.database.target import Target
from invoke_stack.errors import ExitCode, StackError, UsageError
from invoke_stack.events import Note, Planned, Report, Step
from invoke_stack.migrations import destructive, rehearsal, rows
from invoke_stack.migrations.migrate import Request
from invoke_stack.migrations.rehearsal import Failure, Rehearsal, Times
from invoke_stack.project import Project

FLAG = "--rehearse"
TASK = f"db.migrate {FLAG}"
AGAIN = f"the live database was not touched; correct it, then: inv {TASK}"
COUNT_S = 3600.0
"""How long counting the rows of all tables may take, in seconds."""

NO_LOCKS = "locks were not noted: that takes a superuser, and {} is none"
NO_SQL = "{} does not show its SQL, so it was not read and the migrations are not timed one by one"
NO_ROOM = "whether there is room for a copy cannot be asked on another machine"


@dataclass(frozen=True, slots=True)
class _Run:
    """One rehearsal: what to do, where, and the two ways out."""

    project: Project
    target: Target
    place: Place
    tool: Tool
    request: Request
    report: Report
    confirm: Confirm

    def base(self, pending: tuple[str, ...]) -> Rehearsal:
        """Return what can be said without a copy."""
        waiting = tuple(rehearsal.Migration(name) for name in pending)
        found = Rehearsal(self.tool.name, self.target.database, migrations=waiting)
        if not isinstance(self.tool, Scripted):
            return dataclasses.replace(found, notes=(NO_SQL.format(self.tool.name),))
        scripts = [each for each in self.tool.scripts(self.project) if each.name in pending]
        return dataclasses.replace(found, findings=destructive.look(scripts))

    def ask(self) -> None:
        """Have the user agree where others work on the database; the rails come first."""
        text = "disconnects every client for as long as it takes to copy"
        action = Action(TASK, text, destroys=False, kept="everything: only the copy is changed")
        found = rails.subject(self.project, self.target)
        patterns = self.project.settings.db.protected
        asked = rails.judge(found, action, self.request.consent, patterns)
        if asked is not None:
            self.confirm(asked.text, asked.word)
        elif self.precious and not self.request.consent.name:
            self.confirm(rails.question(found, action))

    @property
    def precious(self) -> bool:
        """Whether somebody else than this developer may be connected."""
        return rows.precious(self.place)

    def copied(self, admin: Admin, server: Server, base: Rehearsal) -> Rehearsal:
        """Make the copy, run the migrations on it, drop it."""
        live = self.target.database
        self.report(Step(f"copying {live}; its clients are disconnected until that is done"))
        began = time.monotonic()
        with swap.fresh(admin, swap.Like(server, template=live, dressed=True), self.report) as new:
            copying = round(time.monotonic() - began, 2)
            found = dataclasses.replace(base, done=True, copying=copying)
            return self.rehearsed(new, server, found)

    def rehearsed(self, new: Fresh, server: Server, base: Rehearsal) -> Rehearsal:
        """Run what is pending on the copy and say how that went."""
        pending = tuple(each.name for each in base.migrations)
        place = self.place.renamed(new.name)
        look = _Look(self.project, new.target, rehearser.of(self.target.provider))
        before = look.tables()
        if server.superuser:
            look.watch()
        self.report(Step(f"rehearsing {len(pending)} pending on {new.name}"))
        began = time.monotonic()
        failure = self.deployed(place)
        seconds = round(time.monotonic() - began, 2)
        times = self.times(place)
        self.require_reached(pending, times, failure)
        seen = look.seen() if server.superuser else None
        table = self.tool.table if isinstance(self.tool, Scripted) else ""
        failed = failure is not None
        return dataclasses.replace(
            base,
            seconds=seconds,
            migrations=rehearsal.migrations(pending, times, seen, failed=failed, leaving=table),
            tables=rehearsal.changes(before, look.tables(), table),
            failure=failure,
            notes=base.notes + (() if server.superuser else (NO_LOCKS.format(server.user),)),
        )

    def deployed(self, place: Place) -> Failure | None:
        """Run the tool on the copy; return how it failed, when a migration did."""
        try:
            self.tool.deploy(self.project, place, self.report)
        except StackError as problem:
            if problem.code != ExitCode.FAILED:  # no migration's fault
                raise
            return Failure(problem.where, problem.message, problem.detail)
        return None

    def times(self, place: Place) -> Times:
        """Return which migrations the copy has now."""
        if isinstance(self.tool, Scripted):
            return self.tool.times(self.project, place)
        return dict.fromkeys(self.state(place).applied)

    def state(self, place: Place) -> State:
        """Return how a database stands to the migrations, in one look."""
        return self.tool.state(self.project, place, self.report, quick=True)

    def require_reached(
        self, pending: tuple[str, ...], times: Times, failure: Failure | None
    ) -> None:
        """Require that it was the copy that the tool worked on, and all of what was pending.

        Raises:
            StackError: a tool that takes the address from elsewhere has changed the live one, or
                what it has is not what the project has.
        """
        where = f"database {self.target.database}"
        if self.state(self.place).pending != pending:
            text = f"was changed meanwhile: by others, or {self.tool.name} was not on the copy"
            hint = "does its configuration name a fixed address? then see: inv db.status"
            raise StackError(where, text, hint=hint)
        left = [name for name in pending if name not in times]
        if left and failure is None:
            text = f"{left[0]} is still pending on the copy although {self.tool.name} succeeded"
            hint = "where it runs in a container, its image may be older: inv stack.up --build"
            raise StackError(where, text, hint=hint)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is asked of the copy around the migrations."""

    project: Project
    copy: Target
    rehearser: Rehearser

    def tables(self) -> tuple[Table, ...]:
        query = self.rehearser.tables()
        answer = targets.ask(self.project, self.copy, query, timeout_s=COUNT_S)
        return self.rehearser.read_tables(answer)

    def watch(self) -> None:
        targets.ask(self.project, self.copy, self.rehearser.watch(), read=False)

    def seen(self) -> tuple[Seen, ...]:
        return self.rehearser.read_seen(targets.ask(self.project, self.copy, self.rehearser.seen()))


def rehearse(  # noqa: PLR0913 - what to do, where, and the two ways out
    project: Project,
    place: Place,
    tool: Tool,
    request: Request,
    report: Report,
    confirm: Confirm,
) -> Rehearsal:
    """Run what is pending on a copy of the database and say what it does there.

    Raises:
        UsageError: flags that do not fit, no database to copy, no right to create one.
        RefusedError: not confirmed, or a rail.
        BusyError: another run works on this database.
        StackError: no room for a copy, or the tool could not be run; a migration that fails is
            no error here but the result.
    """
    run = _Run(project, _target(place), place, tool, request, report, confirm)
    _require_fitting(request)
    before = run.state(place)
    if before.failed:
        text = f"migration {before.failed[0]} failed earlier and blocks the next ones"
        raise StackError(f"database {run.target.database}", text, hint="inv db.status")
    base = run.base(before.pending)
    if request.plan or not before.pending:
        return base
    admin, server = admins.connect(project, run.target)
    size = _require_possible(run, admin, server)
    if project.dry:
        report(Planned(f"copy {run.target.database} ({size:,} bytes), migrate and drop the copy"))
        return base
    run.ask()
    with admins.locked(admin, report) as (held, found):
        now = housekeeping.done(held, found, report)
        return run.copied(held, now, dataclasses.replace(base, bytes=size))


def _target(place: Place) -> Target:
    if place.target is None:
        raise UsageError(FLAG, "the database's own programs cannot be reached from here")
    return place.target


def _require_possible(run: _Run, admin: Admin, server: Server) -> int:
    """Return the size of the database that can be copied."""
    rehearser.of(run.target.provider)
    preflight.require_rights(server, run.target.database)
    live = server.database(run.target.database)
    if live is None:
        where = f"database {run.target.database}"
        text = "does not exist yet, so there is nothing to rehearse on"
        raise UsageError(where, text, hint="inv db.migrate makes it")
    if run.target.place == "stack":  # elsewhere the programs' machine is not the server's
        preflight.require_room(admin.machine(), live.bytes, TASK)
    else:
        run.report(Note(NO_ROOM))
    return live.bytes


def _require_fitting(request: Request) -> None:
    given = {
        "--name": request.name,
        "--create-only": request.create_only,
        "--applied": request.applied,
        "--rolled-back": request.rolled_back,
    }
    for flag, value in given.items():
        if value:
            text = f"contradicts {FLAG}, which only runs what is pending"
            raise UsageError(flag, text, hint=f"inv {TASK}")

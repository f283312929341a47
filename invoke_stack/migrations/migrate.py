"""`db.migrate`: state, plan, backup, confirmation, the tool's own run, and a look afterwards."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from invoke_stack.database import backup as backups
from invoke_stack.database import job
from invoke_stack.database.migrating import Development, Place, Resolver, State, Tool
from invoke_stack.database.rails import Action, Confirm, Consent
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Note, Planned, Report
from invoke_stack.migrations import rows
from invoke_stack.project import Project

DEVELOPMENT = "dev"


@dataclass(frozen=True, slots=True)
class Request:
    """What the flags of `db.migrate` say.

    Attributes:
        name: the name of a new migration.
        create_only: write it, do not apply it.
        plan: only say what would be done.
        applied: record this migration as applied by hand.
        rolled_back: record this failed migration as rolled back.
        interactive: a person sits at the terminal.
        consent: what the flags say about a database that is not the stack's.
    """

    name: str = ""
    create_only: bool = False
    plan: bool = False
    applied: str = ""
    rolled_back: str = ""
    interactive: bool = False
    consent: Consent = field(default_factory=Consent)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `db.migrate` did.

    Attributes:
        tool: the tool's name.
        applied: the migrations that this run applied, or would apply.
        backup: the file of the backup taken first, or "".
        done: whether anything was run; False for a plan.
    """

    tool: str
    applied: tuple[str, ...]
    backup: str = ""
    done: bool = True


@dataclass(frozen=True, slots=True)
class _Run:
    """One `db.migrate`: what to do, where, and the two ways out."""

    project: Project
    place: Place
    tool: Tool
    request: Request
    report: Report
    confirm: Confirm

    @property
    def mode(self) -> str:
        return self.place.declared.mode.name

    @property
    def develops(self) -> bool:
        """Whether new migrations may be made: in dev, and never on somebody else's database."""
        return self.mode == DEVELOPMENT and self.place.own

    @property
    def name(self) -> str:
        return self.place.target.database if self.place.target else "of the URL"

    def state(self) -> State:
        return self.tool.state(self.project, self.place, self.report, quick=True)

    def deploy(self, before: State) -> Migrated:
        """Show what is pending, ask, back up, apply, look again."""
        for name in before.pending:
            self.report(Note(f"pending: {name}"))
        self.ask(before)
        file = self.backed_up() if before.applied else ""
        try:
            self.tool.deploy(self.project, self.place, self.report)
        except StackError:
            if file:
                self.report(Note(f"the backup of before: {file}"))
            raise
        return self.after(before, file)

    def ask(self, before: State) -> None:
        """Have the user agree, by the rails first; an empty database can lose nothing."""
        count = len(before.pending)
        text = f"applies {count} migration{'s' * (count != 1)} to"
        kept = "a verified backup, taken first" if self.backs_up else ""
        action = Action("db.migrate", text, destroys=False, kept=kept)
        if before.applied or not self.place.own:
            rows.agree(self.project, self.place, action, self.request.consent, self.confirm)

    @property
    def backs_up(self) -> bool:
        return self.project.settings.db.safety and rows.precious(self.place)

    def backed_up(self) -> str:
        """Return the file of the backup taken first, or "" where the setting goes without."""
        if not self.backs_up:
            return ""
        key = "" if self.place.own else self.place.keys[-1]
        options = job.Options(label="before-migrate", kind="safety", target=key)
        db = self.project.settings.db
        if self.place.own:  # the app's own URL may name another database than the settings
            db = dataclasses.replace(db, name=self.name)
        project = dataclasses.replace(
            self.project, settings=dataclasses.replace(self.project.settings, db=db)
        )
        declared, docker = self.place.declared, self.place.docker
        made = backups.backup(project, declared, docker, options, self.report)
        return project.shown(made.file) if made else ""

    def after(self, before: State, file: str = "") -> Migrated:
        """Look again: what was pending must be there now."""
        if self.project.dry:
            self.report(Planned(f"apply {', '.join(before.pending) or 'nothing'}"))
            return Migrated(self.tool.name, before.pending, file, done=False)
        after = self.state()
        if left := [name for name in before.pending if name in after.pending]:
            if self.request.create_only:
                return Migrated(self.tool.name, (), file)
            text = f"{left[0]} is still pending although {self.tool.name} reported success"
            hint = "where it runs in a container, its image may be older: inv stack.up --build"
            raise StackError(f"database {self.name}", text, hint=hint)
        applied = tuple(name for name in after.applied if name not in before.applied)
        return Migrated(self.tool.name, applied, file)

    def resolve(self) -> Migrated:
        """Record by hand how a migration ended."""
        if not isinstance(self.tool, Resolver):
            raise UsageError("db.migrate", f"{self.tool.name} has no journal to correct by hand")
        self.ask(State(self.tool.name))
        name, applied = self.request.applied or self.request.rolled_back, bool(self.request.applied)
        self.tool.resolve(self.project, self.place, name, self.report, applied=applied)
        return Migrated(self.tool.name, (), done=not self.project.dry)


def migrate(  # noqa: PLR0913 - what to do, where, and the two ways out
    project: Project,
    place: Place,
    tool: Tool,
    request: Request,
    report: Report,
    confirm: Confirm,
) -> Migrated:
    """Bring the database to the project's migrations.

    Raises:
        UsageError: flags that do not fit, a name that is needed, a schema that is not valid.
        RefusedError: not confirmed; the tool would delete data.
        StackError: a migration failed.
    """
    run = _Run(project, place, tool, request, report, confirm)
    _require_fitting(run)
    if request.applied or request.rolled_back:
        return run.resolve()
    before = run.state()
    if request.plan:
        return Migrated(tool.name, before.pending, done=False)
    if run.develops:
        wanted = Development(request.name, request.create_only, request.interactive)
        tool.develop(project, place, wanted, report)
        return run.after(before)
    if not before.pending and not before.failed:
        report(Note("nothing is pending"))
        return Migrated(tool.name, (), done=False)
    return run.deploy(before)


def _require_fitting(run: _Run) -> None:
    request = run.request
    if (request.name or request.create_only) and not run.develops:
        flag = "--name" if request.name else "--create-only"
        where = f"this is {run.mode}" if run.place.own else "this is another one"
        text = f"new migrations are made in dev, on the stack's own database; {where}"
        raise UsageError(flag, text, hint=f"inv db.migrate --dev {flag}")
    if request.applied and request.rolled_back:
        raise UsageError("--applied", "contradicts --rolled-back", hint="leave one of them away")

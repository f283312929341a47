"""Plain SQL files as a migration tool: `migrations/0001_name.sql`, in order, each one whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from invoke_stack.database import target as targets
from invoke_stack.database.migrating import Development, Place, Script, State
from invoke_stack.database.sqlfiles import files, journal, session
from invoke_stack.database.sqlfiles.files import Migration
from invoke_stack.database.sqlfiles.journal import Journal
from invoke_stack.database.target import Target
from invoke_stack.errors import BusyError, StackError, UsageError
from invoke_stack.events import Note, Planned, Report, Step
from invoke_stack.project import Project

NO_DRIFT = "drift is not looked at: SQL files have no schema to compare the database with"


@dataclass(frozen=True, slots=True)
class SqlFiles:
    """The tool.

    Attributes:
        folder: where the files are, from the project root; "" looks in the usual places.
        wait_s: how long to wait for another run, in seconds.
    """

    folder: str = ""
    wait_s: int = journal.LOCK_WAIT_S
    name: str = "sql"
    table: str = journal.TABLE

    def recognises(self, project: Project) -> bool:
        """Return whether there are numbered SQL files."""
        return files.folder(project.root, self.folder) is not None

    def state(self, project: Project, place: Place, report: Report, *, quick: bool) -> State:  # noqa: ARG002 - as the protocol has it
        """Return how the journal stands to the files."""
        return self._state(project, self._journal(project, session.target(project, place)))

    def deploy(self, project: Project, place: Place, report: Report) -> None:
        """Apply what is pending, file by file; make the database where it does not exist.

        Raises:
            UsageError: an applied file was edited, or one has no statement yet.
            BusyError: another run holds the lock.
            StackError: a migration failed; what went before it stays.
        """
        target = session.target(project, place)
        if project.dry:
            for name in self._planned(project, target):
                report(Planned(f"apply {name}"))
            return
        self._create(project, target, report)
        last: Migration | None = None
        while True:
            known = self._journal(project, target)
            if last and last.name not in known.applied:
                text = "ended before its own end: is a quote or a comment left open?"
                raise UsageError(last.shown, text, hint="correct the file, then: inv db.migrate")
            following = self._next(project, known, report)
            if following is None:
                return
            report(Step(f"applying {following.name}"))
            applied = self._apply(project, target, known, following, report)
            last = following if applied else None

    def develop(self, project: Project, place: Place, request: Development, report: Report) -> None:
        """Apply what is pending, then write an empty file for a name that was given."""
        if request.create_only and not request.name:
            hint = "inv db.migrate --create-only --name add_posts"
            raise UsageError("--create-only", "needs a name for the new file", hint=hint)
        if not request.create_only:
            self.deploy(project, place, report)
        if request.name:
            where = self._where(project)
            path = where / files.next_name(self._files(project), request.name, datetime.now(UTC))
            if project.dry:
                report(Planned(f"write {project.shown(path)}"))
                return
            where.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:  # never over one that is there
                stream.write(f"-- {request.name}\n")
            report(Note(f"write its SQL into {project.shown(path)}, then: inv db.migrate"))

    def seed(self, project: Project, place: Place, report: Report) -> bool:
        """Run `seed.sql`, as a whole or not at all; return False where there is none."""
        path = files.seed(self._where(project), project.root)
        if path is None:
            return False
        shown = project.shown(path)
        if project.dry:
            report(Planned(f"run {shown}"))
            return True
        report(Step(f"seeding from {shown}"))
        text = files.load(path, project.root)
        begin, end = ("", "") if files.alone(text) else ("BEGIN;\n", "COMMIT;\n")
        before = f"\\set ON_ERROR_STOP on\n{begin}"
        done = session.run(project, session.target(project, place), f"{before}{text}\n;\n{end}")
        session.tell(project, report, done, shown, before.count("\n"))
        if done.code != 0:
            hint = "correct the file, then: inv db.seed"
            raise session.failure(project, done, shown, before.count("\n"), hint)
        return True

    def generate(self, project: Project, place: Place, report: Report) -> None:  # noqa: ARG002 - as the protocol has it
        """Do nothing but say so: SQL files have no client."""
        report(Note("SQL files have no client: nothing to generate"))

    def resolve(
        self, project: Project, place: Place, name: str, report: Report, *, applied: bool
    ) -> None:
        """Record that a migration was applied by hand, or that a failed one was rolled back.

        Raises:
            UsageError: there is no such migration, or nothing of it to roll back.
        """
        known = {each.name: each for each in self._files(project)}
        if name not in known:
            hint = f"files: {', '.join(known) or 'none'}"
            raise UsageError("db.migrate", f"no migration {name}", hint=hint)
        target = session.target(project, place)
        found = self._journal(project, target)
        if name in found.applied and not applied:
            hint = "undo it with a new migration"
            raise UsageError(f"migration {name}", "is applied, not failed", hint=hint)
        script = journal.corrected(found, name, known[name].checksum, applied=applied)
        done = session.run(project, target, script)
        if done.code != 0:
            raise targets.failed(project, target, done)
        report(Note(f"{name} counts as {'applied' if applied else 'not applied'}"))

    def scripts(self, project: Project) -> tuple[Script, ...]:
        """Return the files."""
        return tuple(Script(each.name, each.shown, each.text) for each in self._files(project))

    def times(self, project: Project, place: Place) -> Mapping[str, tuple[float, float]]:
        """Return what the journal says of each file that is applied."""
        target = session.target(project, place)
        return {
            row.name: (row.began, row.ended)
            for row in self._journal(project, target).rows
            if row.finished
        }

    def _where(self, project: Project) -> Path:
        found = files.folder(project.root, self.folder)
        return found or project.root / (self.folder or files.FOLDERS[0])

    def _files(self, project: Project) -> tuple[Migration, ...]:
        where = self._where(project)
        return files.read(where, project.root) if where.is_dir() else ()

    def _journal(self, project: Project, target: Target) -> Journal:
        return journal.read(targets.ask(project, target, journal.READ))

    def _state(self, project: Project, known: Journal) -> State:
        own = {each.name: each for each in self._files(project)}
        rows = {row.name: row for row in known.rows}
        # One that failed inside its transaction left nothing, so it is simply pending again.
        failed = [row for row in known.rows if not row.finished]
        left = tuple(row.name for row in failed if row.left)
        gone = [row for row in failed if not row.left and row.name in own]
        applied = known.applied
        return State(
            self.name,
            applied=applied,
            pending=tuple(name for name in own if name not in (*applied, *left)),
            failed=left,
            edited=tuple(n for n in applied if n in own and own[n].checksum != rows[n].checksum),
            unknown=tuple(name for name in applied if name not in own),
            notes=(
                *(f"{row.name} failed and left nothing: {row.error}" for row in gone),
                NO_DRIFT,
            ),
        )

    def _planned(self, project: Project, target: Target) -> tuple[str, ...]:
        if session.missing(session.look(project, target)):
            return (f"CREATE DATABASE {target.database}", *(m.name for m in self._files(project)))
        return self._state(project, self._journal(project, target)).pending

    def _next(self, project: Project, known: Journal, report: Report) -> Migration | None:
        """Return the first pending migration, once nothing stands in its way."""
        state = self._state(project, known)
        if state.failed:
            hint = (
                "mend by hand what it left, then: inv db.migrate --rolled-back "
                f"{state.failed[0]} (or --applied)"
            )
            text = "failed outside a transaction: parts of it may be in the database"
            raise StackError(f"migration {state.failed[0]}", text, hint=hint)
        if state.edited:
            hint = (
                "put the file back and write a new migration; if the edit changes nothing: "
                f"inv db.migrate --applied {state.edited[0]}"
            )
            text = "was edited after it was applied"
            raise UsageError(f"migration {state.edited[0]}", text, hint=hint)
        own = {each.name: each for each in self._files(project)}
        following = own[state.pending[0]] if state.pending else None
        if following is None:
            return None
        if files.empty(following):
            text = "has no statement yet"
            raise UsageError(following.shown, text, hint="write its SQL, or remove the file")
        later = [n for n in known.applied if n in own and own[n].number > following.number]
        if later:
            report(Note(f"{following.name} comes before {later[0]}, which is applied already"))
        return following

    def _apply(
        self, project: Project, target: Target, known: Journal, each: Migration, report: Report
    ) -> bool:
        """Apply one file; return False where another run was faster and all has to be read anew."""
        script, before = journal.apply(known, each, self.wait_s)
        done = session.run(project, target, script)
        if journal.CHANGED in done.stdout:
            return False
        session.tell(project, report, done, each.shown, before)
        if done.code != 0:
            hint = "correct it, then: inv db.migrate"
            problem = session.failure(project, done, each.shown, before, hint)
            if not isinstance(problem, BusyError):
                session.run(project, target, journal.failed(known, each, problem.message))
            raise problem
        return True

    def _create(self, project: Project, target: Target, report: Report) -> None:
        """Make the database where the server does not have it."""
        if not session.missing(session.look(project, target)):
            return
        report(Step(f"creating database {target.database}"))
        server = targets.with_database(target, "postgres")
        name = journal.identifier(target.database)
        statement = f"\\set ON_ERROR_STOP on\nCREATE DATABASE {name};\n"
        try:
            targets.ask(project, server, statement, read=False)
        except StackError:
            if session.missing(session.look(project, target)):
                raise  # else another run has made it meanwhile

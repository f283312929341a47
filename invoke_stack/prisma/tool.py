"""Prisma as a migration tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from invoke_stack.database import target as targets
from invoke_stack.database.migrating import Development, Place, Script, State
from invoke_stack.errors import RefusedError, StackError, UsageError
from invoke_stack.events import Note, Report, Step, Warned
from invoke_stack.prisma import (
    calls,
    drift,
    journal,
    launch,
    managers,
    refusals,
    scripts,
    spots,
    studio,
)
from invoke_stack.prisma import package as packages
from invoke_stack.prisma.package import Package
from invoke_stack.prisma.spots import Spot
from invoke_stack.project import Project

MISSING = "does not exist yet"
NAME_IT = "the schema has changes that no migration has, and a migration needs a name"


@dataclass(frozen=True, slots=True)
class Prisma:
    """Prisma 6 and 7, whichever the project has installed."""

    name: str = "prisma"
    table: str = journal.TABLE

    def recognises(self, project: Project) -> bool:
        """Return whether a package of the project owns a Prisma schema or config."""
        return packages.find(project) is not None

    def state(self, project: Project, place: Place, report: Report, *, quick: bool) -> State:
        """Return how the database stands: the journal, and drift unless ``quick``."""
        package = packages.require(project)
        state = _journal(project, place, package)
        if quick or any(MISSING in note for note in state.notes):
            return state
        refusals.require_schema(project, package)
        files = journal.scripts(package.migrations)
        with _spot(project, place, package, report) as spot:
            return drift.add(project, place, spot, state, files)

    def deploy(self, project: Project, place: Place, report: Report) -> None:
        """Apply what is pending, as `prisma migrate deploy`.

        Raises:
            UsageError: a URL is written out, so that it would go to that database, not to this.
        """
        package = packages.require(project)
        refusals.require_schema(project, package)
        refusals.require_movable(project, package)
        with _spot(project, place, package, report) as spot:
            launch.run(project, spot, spot.run("deploy"), report)

    def develop(self, project: Project, place: Place, request: Development, report: Report) -> None:
        """Apply what is pending and make a migration of the schema's changes.

        Without a name and a terminal Prisma would wait for the name for ever: then only what is
        there is applied, and a changed schema is an error.
        """
        package = packages.require(project)
        refusals.require_schema(project, package)
        if request.create_only and not (request.name or request.interactive):
            raise _name_it(project, package, "--create-only --name NAME")
        with _spot(project, place, package, report, writes=bool(request.name)) as spot:
            words = calls.development(request, spot.major)
            if request.interactive and spot.kind == "host":
                _attended(project, spot, words)
            elif request.name:
                launch.run(project, spot, spot.run("dev", words), report)
            else:
                _unattended(project, place, spot, report)
            major = spot.major
        if not request.create_only and (major > calls.GENERATES_UNTIL or not request.name):
            self.generate(project, place, report)

    def seed(self, project: Project, place: Place, report: Report) -> bool:
        """Run the project's seed script, or `prisma db seed`."""
        package = packages.require(project)
        own = scripts.choose("seed", package.scripts, arguments=False)
        if not (package.seed or own):
            return False
        refusals.require_meant(project, package, place)
        with _spot(project, place, package, report) as spot:
            launch.run(project, spot, spot.run("seed"), report, live=True)
        return True

    def generate(self, project: Project, place: Place, report: Report) -> None:
        """Generate the client, where the schema has a generator; no database is needed."""
        package = packages.require(project)
        refusals.require_schema(project, package)
        if not packages.generates(package):
            report(Note("the schema has no generator: nothing to generate"))
            return
        manager = managers.find(project, package.folder)
        if spots.installed(package) and spots.interpreted(project, manager):
            spot = spots.here(project, place, package, manager)
            launch.run(project, spot, spot.run("generate"), report)
            return
        with _spot(project, place, package, report, writes=True) as spot:
            launch.run(project, spot, spot.run("generate"), report)

    def resolve(
        self, project: Project, place: Place, name: str, report: Report, *, applied: bool
    ) -> None:
        """Write into the journal that a migration was applied by hand, or was rolled back.

        Raises:
            UsageError: the project has no migration of that name.
        """
        package = packages.require(project)
        known = journal.scripts(package.migrations)
        if name not in known:
            where = project.shown(package.migrations)
            hint = f"there are: {', '.join(known) or 'none'}"
            raise UsageError(where, f"no such migration: {name}", hint=hint)
        with _spot(project, place, package, report) as spot:
            words = calls.resolve(name, applied=applied)
            launch.run(project, spot, spot.prisma(words), report)

    def scripts(self, project: Project) -> tuple[Script, ...]:
        """Return the migrations that have their file."""
        found = journal.scripts(packages.require(project).migrations)
        return tuple(
            Script(name, project.shown(path), path.read_text("utf-8-sig", errors="replace"))
            for name, path in found.items()
            if path.is_file()
        )

    def times(self, project: Project, place: Place) -> Mapping[str, tuple[float, float]]:
        """Return what the journal says of each migration that is applied."""
        if place.target is None:
            return {}
        return journal.times(targets.ask(project, place.target, journal.query(_schema(place))))

    def studio(
        self,
        project: Project,
        place: Place,
        port: int,
        report: Report,
        ready: Callable[[str], None],
    ) -> None:
        """Serve Prisma Studio on the loopback of this machine until interrupted."""
        package = packages.require(project)
        refusals.require_schema(project, package)
        refusals.require_meant(project, package, place)
        with _spot(project, place, package, report, writes=True) as spot:
            studio.serve(project, spot, port, report, ready)


def _unattended(project: Project, place: Place, spot: Spot, report: Report) -> None:
    state = _journal(project, place, spot.package)
    require_mendable(launch.where(project, spot), state)
    if state.pending:
        launch.run(project, spot, spot.run("deploy"), report)
    if project.dry:
        return
    words = calls.schema_difference(spot.path(spot.package.schema), spot.major)
    if lines := launch.difference(project, spot, spot.prisma(words, read=True)):
        raise _name_it(project, spot.package, "--name NAME", lines)


def require_mendable(where: str, state: State) -> None:
    """Raise what `migrate dev` would want a reset for.

    Raises:
        RefusedError: an applied migration was edited, or is not in the project.
        StackError: one has failed.
    """
    again = "see the whole picture: inv db.status"
    if state.failed:
        text = f"migration {state.failed[0]} failed earlier and blocks the next ones"
        hint = f"correct it, then: inv db.migrate --rolled-back {state.failed[0]}"
        raise StackError(where, text, hint=hint)
    if state.edited:
        text = f"migration {state.edited[0]} was edited after it had been applied"
        hint = f"restore the file and write a new migration; {again}"
        raise RefusedError(where, text, hint=hint)
    if state.unknown:
        text = f"the database has a migration that this project lacks: {state.unknown[0]}"
        raise RefusedError(where, text, hint=f"check out the branch that has it; {again}")


def _journal(project: Project, place: Place, package: Package) -> State:
    files = journal.scripts(package.migrations)
    if place.target is None:
        return State("prisma", notes=("the database's journal cannot be read from here",))
    try:
        answer = targets.ask(project, place.target, journal.query(_schema(place)))
    except UsageError as problem:
        if "does not exist" not in problem.message:
            raise
        note = f"database {place.target.database} {MISSING}"
        return State("prisma", pending=tuple(files), notes=(note,))
    state = journal.compare(files, journal.rows(answer))
    foreign = journal.tables(answer)
    if files and foreign and not state.applied and not state.failed:
        text = f"tables that no migration has made: {foreign}; there is no history"
        return dataclasses.replace(state, drift=(text,))
    if files:
        return state
    note = f"there are no migrations in {project.shown(package.migrations)}"
    return dataclasses.replace(state, notes=(*state.notes, note))


def _schema(place: Place) -> str:
    return parse_qs(urlsplit(place.stack).query).get("schema", ["public"])[0]


def _attended(project: Project, spot: Spot, words: tuple[str, ...]) -> None:
    """Run `migrate dev` on the caller's terminal, where its questions are answered."""
    code = project.runner.attach(spot.run("dev", words))
    if code:
        text = f"`migrate dev` ended with code {code}"
        raise StackError(launch.where(project, spot), text, hint="its own words are above")


@contextmanager
def _spot(
    project: Project, place: Place, package: Package, report: Report, *, writes: bool = False
) -> Iterator[Spot]:
    with spots.chosen(project, place, package, writes=writes) as spot:
        if spot.manager.doubt:
            report(Warned(f"{spot.manager.name} is used, although {spot.manager.doubt}"))
        on = "this machine" if spot.kind == "host" else spot.label
        report(Step(f"prisma {spot.version} on {on}"))
        yield spot


def _name_it(
    project: Project, package: Package, flags: str, lines: tuple[str, ...] = ()
) -> UsageError:
    where = project.shown(package.schema or package.folder)
    hint = f"inv db.migrate {flags}; if the schema is as it was, the database was changed by hand: "
    return UsageError(where, NAME_IT, hint=f"{hint}inv db.status", detail=lines)

"""What a migration tool has to offer for `db.migrate`, `db.status`, `db.seed` and the like.

Prisma and plain SQL files are built in; a project plugs in another one with the setting
`db.tool`: an object with the methods of `Tool`, or "module:name".

A tool is handed a `Place`: one database, and how it is reached from where. It is not always the
database that the app uses: a rehearsal and `db.reset` run the same calls on a new one,

    fresh = place.renamed("app_new")     # the same server and user, another database
    tool.deploy(project, fresh, report)
    tool.seed(project, fresh, report)

so a tool takes the address from the place alone, hands it to its programs in every variable of
``place.keys``, and keeps no state of its own between two calls.

What every method promises: it never waits for an answer that cannot come, never downloads
anything, puts no secret into an argument, tells ``report`` what its programs print (`Line`), runs
them with `project.runner` (a dry run prints the ones that write), and raises a `StackError` with
one clear sentence and the next command when it did not succeed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote

from invoke_stack.compose.commands import ComposeCall
from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.events import Report
from invoke_stack.project import Project

_DATABASE = re.compile(r"^([^/?#]*//[^/?#]*)(?:/[^?#]*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """One database, and the stack around it.

    Attributes:
        declared: the stack in its mode: services, resolved env, Compose calls.
        docker: the engine; None where none is needed because nothing runs in a container.
        target: its clients, inside its container or on this machine; None where there are none.
        host: its URL for a program on this machine, "" where that cannot reach it.
        stack: its URL for a program in a container of the stack.
        keys: the variables that carry the URL, the first one being the app's own.
        call: gives the Compose call to make a one-off container with.
    """

    declared: Declared = field(repr=False)
    docker: Engine | None = field(repr=False)
    target: Target | None
    host: str = field(repr=False)
    stack: str = field(repr=False)
    keys: tuple[str, ...] = ("DATABASE_URL",)
    call: Callable[[], AbstractContextManager[ComposeCall]] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def own(self) -> bool:
        """Whether it is this stack's own database, so that a mistake costs data of nobody else."""
        return self.target is not None and self.target.place == "stack"

    @property
    def container_engine(self) -> Engine | None:
        """The engine whose services run in containers, where a program can be started; or None."""
        return self.docker if self.docker is not None and self.docker.name == "docker" else None

    def renamed(self, database: str) -> Place:
        """Return another database of the same server, for the same user."""
        return dataclasses.replace(
            self,
            target=targets.with_database(self.target, database) if self.target else None,
            host=with_database(self.host, database),
            stack=with_database(self.stack, database),
        )

    def compose(self) -> AbstractContextManager[ComposeCall]:
        """Return the Compose call for a one-off container."""
        return self.call() if self.call is not None else nullcontext(self.declared.call())


def with_database(url: str, database: str) -> str:
    """Return a URL of the same server with another database; everything else stays as it is."""
    name = quote(database, safe="")
    return _DATABASE.sub(lambda found: f"{found[1]}/{name}", url, count=1)


@dataclass(frozen=True, slots=True)
class State:
    """How a database stands to the project's migrations; names in the order of the tool.

    Attributes:
        tool: the tool's name.
        applied: migrations that are in the database, whole.
        pending: migrations of the project that it lacks.
        failed: migrations that began and did not end; they block the next ones.
        edited: applied migrations whose file has changed since.
        unknown: applied migrations that the project does not have (another branch).
        drift: how the database differs from what its migrations make, line by line.
        unmigrated: how the project's schema differs from what its migrations make.
        notes: what was not looked at, and why; findings of the tool's own.
    """

    tool: str
    applied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    unmigrated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to do and nothing to mend."""
        wrong = (self.pending, self.failed, self.edited, self.unknown, self.drift)
        return not any(wrong) and not self.unmigrated

    def document(self) -> dict[str, Any]:
        """Return the JSON of `db.status`."""
        return {**dataclasses.asdict(self), "clean": self.clean}


@dataclass(frozen=True, slots=True)
class Development:
    """What `db.migrate` was asked for in development.

    Attributes:
        name: the name of the migration that a changed schema becomes; "" where none was given.
        create_only: write the migration, do not apply it.
        interactive: a person sits at the terminal, so a tool may ask.
    """

    name: str = ""
    create_only: bool = False
    interactive: bool = False


@runtime_checkable
class Tool(Protocol):
    """A tool that brings a database to the shape the project wants."""

    @property
    def name(self) -> str:
        """Return the word that messages and JSON carry."""

    def recognises(self, project: Project) -> bool:
        """Return whether the project uses it; looks at files and starts no program."""

    def state(self, project: Project, place: Place, report: Report, *, quick: bool) -> State:
        """Return how the database stands, without changing anything.

        Args:
            project: the project.
            place: the database.
            report: told about long steps.
            quick: only what one look at the journal tells, in a fraction of a second:
                no drift, nothing unmigrated.
        """

    def deploy(self, project: Project, place: Place, report: Report) -> None:
        """Apply what is pending; also to a database that is empty or does not exist yet."""

    def develop(self, project: Project, place: Place, request: Development, report: Report) -> None:
        """Apply what is pending and turn changes of the schema into a new migration.

        Raises:
            UsageError: it would have to ask and nobody is there to answer.
        """

    def seed(self, project: Project, place: Place, report: Report) -> bool:
        """Fill the database with the project's first rows; return False where it has none."""

    def generate(self, project: Project, place: Place, report: Report) -> None:
        """Make what is generated from the schema (a client); nothing where a tool has no such.

        The database may not run: then ``place`` has no target, and the URL that the files have.
        """


@runtime_checkable
class Resolver(Protocol):
    """A tool whose journal can be corrected by hand after a failure."""

    def resolve(
        self, project: Project, place: Place, name: str, report: Report, *, applied: bool
    ) -> None:
        """Record that a migration was applied by hand, or that a failed one was rolled back."""


@runtime_checkable
class Studio(Protocol):
    """A tool that also has a user interface for the browser."""

    def studio(
        self,
        project: Project,
        place: Place,
        port: int,
        report: Report,
        ready: Callable[[str], None],
    ) -> None:
        """Serve it on 127.0.0.1 until interrupted; ``ready`` is given the URL once it answers."""


@dataclass(frozen=True, slots=True)
class Script:
    """The SQL of one migration; ``shown`` is its path from the project root."""

    name: str
    shown: str
    text: str = field(repr=False)


@runtime_checkable
class Scripted(Protocol):
    """A tool whose migrations are SQL: a rehearsal reads them first and times each one."""

    @property
    def table(self) -> str:
        """Return the name of the journal's table."""

    def scripts(self, project: Project) -> tuple[Script, ...]:
        """Return all migrations of the project, in order."""

    def times(self, project: Project, place: Place) -> Mapping[str, tuple[float, float]]:
        """Return when each applied migration began and ended, in seconds of the epoch."""

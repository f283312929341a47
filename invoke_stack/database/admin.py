"""The server behind a target, reached through another database than the target itself.

A database can be created, renamed and dropped only from outside, and only while nobody is
connected to it. Whoever holds an `Admin` holds the target's lock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from invoke_stack import files
from invoke_stack.database import asking, catalog, leftovers, names, rails, restorer, sessions
from invoke_stack.database import target as targets
from invoke_stack.database.rails import Consent
from invoke_stack.database.restorer import Restorer
from invoke_stack.database.state import Machine, Server
from invoke_stack.database.target import Target
from invoke_stack.database.values import Stakes
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.events import Report
from invoke_stack.process import Completed, Running
from invoke_stack.project import Project

TRIES = 5
"""How often to try again when a client got in before the lock."""

PATIENCE_S = 0.2
"""After how long somebody must be in the way, in seconds: clients get their session ended."""

DROP_PATIENCE_S = 1.0
"""The same for a drop, in seconds: removing files and a checkpoint take time without anybody."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What the client said of a change; ``whole`` tells that what followed succeeded as well."""

    said: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Admin:
    """A connection to the server.

    Attributes:
        target: the database that is to be exchanged.
        outside: the same server, at a database that stays.
        session: the name of our sessions on it.
        key: how the names of all our sessions begin.
        stakes: what is in the target, where `connect` was to ask and it has answered.
    """

    project: Project
    target: Target
    outside: Target
    restorer: Restorer
    session: str = ""
    key: str = ""
    stakes: Stakes | None = None

    def ask(self, statements: str) -> str:
        """Run short statements that change nothing; return what the client prints."""
        return targets.ask(self.project, self.outside, self.restorer.strict(statements))

    def server(self) -> Server:
        """Return the server's state as it is now."""
        return self.restorer.read_server(self.ask(self.query()))

    def query(self) -> str:
        """Return the statements behind ``server``."""
        return self.restorer.server(self.target.database)

    def machine(self) -> Machine:
        """Return versions and room where the server's programs run."""
        with machine(self.project, self.outside) as taken:
            return taken()

    def change(
        self,
        statements: str,
        empty: Sequence[str] = (),
        *,
        patience_s: float = PATIENCE_S,
        then: str = "",
    ) -> Changed:
        """Run statements to their end, however long they take.

        Args:
            statements: what to run; the first error ends them.
            empty: databases in which nobody may be connected meanwhile. Their clients' sessions
                are ended, also those that get in before the statement has its lock.
            patience_s: after how long somebody must be in the way.
            then: what the same client goes on with; that it fails is no failure of this.

        Raises:
            StackError: they failed; says who is connected when that is the reason.
        """
        for _ in range(TRIES):
            done, changed = self._changed(statements, empty, patience_s, then)
            if changed is not None:
                return changed
            if not (self.restorer.in_use(done.stdout) and empty):
                break
        raise self._failed(done, empty)

    def _changed(
        self, statements: str, empty: Sequence[str], patience_s: float, then: str
    ) -> tuple[Completed, Changed | None]:
        word, last = (f"{each}-{secrets.token_hex(8)}" for each in ("done", "all"))
        text = self.restorer.strict(statements) + self.restorer.said(word)
        text += then + self.restorer.said(last) if then else ""
        client = self.outside.provider.client()
        command = self.outside.inside(client, application=self.session, fed=True)
        with self.project.runner.start(command, fed=True) as running:
            running.feed(text.encode())
            running.fed()
            while (code := _waited(running, patience_s)) is None:
                if not running.said(word):
                    self._make_way(empty)
            # The exit code alone proves nothing: an interrupted `docker exec` ends with 0.
            done = running.said(word) and (code == 0 or bool(then))
            changed = Changed(running.tail, whole=running.said(last if then else word))
        completed = Completed(command, code or 1, "\n".join(changed.said))
        return completed, changed if done or self.project.dry else None

    def _make_way(self, empty: Sequence[str]) -> None:
        if empty:
            # The waiting statement reports what is in the way for good, so this may fail.
            with contextlib.suppress(StackError):
                statement = self.restorer.disconnect(empty)
                targets.ask(self.project, self.outside, statement, read=False)

    def _failed(self, done: Completed, empty: Sequence[str]) -> StackError:
        problem = targets.failed(self.project, self.outside, done)
        if not empty or not self.restorer.in_use(done.stdout):
            return problem
        try:
            who = tuple(self.ask(self.restorer.holders(empty)).splitlines())
        except StackError:
            who = ()
        where = f"database {self.target.database}"
        hint = "stop what keeps connecting, then run the task again"
        return StackError(where, "others stay connected to it", hint=hint, detail=who)

    def drop(self, *doomed: str) -> None:
        """Drop databases; those that are gone already are no error."""
        if doomed:
            drops = "".join(self.restorer.drop(name) for name in doomed)
            self.change(drops, doomed, patience_s=DROP_PATIENCE_S)


def _waited(running: Running, patience_s: float) -> int | None:
    try:
        return running.wait(patience_s)
    except TimeoutError:
        return None


def permitted(project: Project, target: Target, task: str, consent: Consent) -> None:
    """Refuse what no answer could allow, before the server is asked anything.

    Raises:
        RefusedError: another's database without its flags, or a protected one.
    """
    subject = rails.Subject(target.database, target.host or target.service, target.place)
    rails.judge(subject, rails.Action(task, "changes"), consent, project.settings.db.protected)


@contextlib.contextmanager
def machine(project: Project, target: Target) -> Iterator[Callable[[], Machine]]:
    """Look beside us where the server's programs run; the call that is yielded returns it."""
    found = restorer.of(target.provider)
    command = target.inside(found.machine(), read=True)
    with project.runner.beside(command, timeout_s=targets.QUERY_S) as taken:
        yield lambda: found.read_machine(taken().stdout)


def connect(project: Project, target: Target, *, stakes: bool = False) -> tuple[Admin, Server]:
    """Return the server behind a target, and its state.

    Args:
        project: the project.
        target: the database.
        stakes: ask the target itself, too, for what the user will be told before a change.

    Raises:
        UsageError: its provider cannot restore, or no database lets us in.
    """
    found = restorer.of(target.provider)
    outside = [
        targets.with_database(target, name) for name in found.maintenance if name != target.database
    ]
    # A dry run makes no state folder; what it lists is then not told apart by who made it.
    key = "" if project.dry else sessions.prefix(sessions.lock_path(project.state, target))
    *others, last = (Admin(project, target, each, found, key=key) for each in outside)
    question: contextlib.AbstractContextManager[Callable[[], str] | None]
    question = contextlib.nullcontext()
    if stakes:
        question = asking.begun(project, target, target.provider.stakes())
    with question as taken:
        try:
            admin, server = _answering(others, last)
        except UnreachableError as problem:  # of the server, not of the one that we came through
            problem.where = target.where
            raise
        if taken is not None:
            with contextlib.suppress(StackError):  # it may not be there; who needs it asks again
                admin = dataclasses.replace(admin, stakes=target.provider.read_stakes(taken()))
    return admin, server


def _answering(others: Sequence[Admin], last: Admin) -> tuple[Admin, Server]:
    for admin in others:
        with contextlib.suppress(UsageError):
            return admin, admin.server()
    return last, last.server()


@contextlib.contextmanager
def locked(admin: Admin, report: Report) -> Iterator[tuple[Admin, Server]]:
    """Hold the target's lock; what killed runs left running is ended first.

    Yields:
        A connection with a session name of its own, and the server's state under the lock.

    Raises:
        BusyError: another run works on this database.
    """
    project, target = admin.project, admin.target
    lock = sessions.lock_path(project.state, target)
    with files.lock(lock, f"database {target.database}"):
        # One call for both: each costs a tenth of a second.
        statements = leftovers.ending(target, lock) + admin.query()
        answer = targets.ask(project, admin.outside, statements, read=False)
        folder = catalog.root(project) / names.folder_name(target.database)
        leftovers.tell(target, answer, report)
        leftovers.remove(project, folder, report)
        server = admin.restorer.read_server(answer)
        yield dataclasses.replace(admin, session=sessions.new_name(lock)), server


def now() -> datetime:
    """Return the time that names and marks carry."""
    return datetime.now(UTC)

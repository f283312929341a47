"""A new database beside the live one, filled while the app works, then exchanged for it.

    admin, _ = admins.connect(project, target)
    with admins.locked(admin, report) as (held, server):
        with swap.fresh(held, swap.Like(server), report) as new:
            fill(new.target)
            new.swap()

Whatever goes wrong before `swap` drops the new database and leaves the live one alone. The
exchange itself is one transaction; the database that was live is kept under another name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from invoke_stack import redaction
from invoke_stack.database import sessions, variants
from invoke_stack.database import target as targets
from invoke_stack.database.admin import Admin
from invoke_stack.database.state import Database, Server, state_of
from invoke_stack.database.target import Target
from invoke_stack.database.variants import Mark, Variant
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Report, Step, Warned

KEPT_DAYS = 7
"""How long a database that was replaced stays, in days; the newest one only."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """What an exchange did.

    Attributes:
        database: the name under which the new content is live.
        kept: the name of the database that was live, or "" where there was none.
        bytes: its size.
        seconds: how long the exchange took by the server's clock: nobody could connect.
    """

    database: str
    kept: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Like:
    """What a new database is made like.

    Attributes:
        server: the server's state.
        also: what a manifest says of the database, where the live one is gone.
        template: a database to copy in place of an empty one.
        dressed: give it owner, rights and settings at once, for who fills it as another user.
    """

    server: Server
    also: Mapping[str, object] = field(default_factory=dict)
    template: str = ""
    dressed: bool = False


class Fresh:
    """A new database that nobody knows yet.

    Attributes:
        name: its name for now.
        target: where to fill it; its sessions carry `admin.session`.
        swapped: what the exchange did, once it is done.
    """

    def __init__(self, admin: Admin, name: str, like: Like, report: Report) -> None:
        self.admin = admin
        self.name = name
        self.target: Target = targets.with_database(admin.target, name)
        self.swapped: Swapped | None = None
        self._like = like
        self._report = report

    def swap(self) -> Swapped:
        """Make it the live database, with the live one's own owner, rights and settings.

        Raises:
            StackError: the server refused; the live database is what it was.
        """
        admin, live = self.admin, self.admin.target.database
        server = admin.server()  # as it is now: somebody may have changed it meanwhile
        before = server.database(live)
        like = before or state_of(server, live, self._like.also)
        _learn(admin, like)
        self._report(Step(f"putting it in place of {live}" if before else f"naming it {live}"))
        self.swapped = self._exchange(server, admin.restorer.dress(self.name, like), before)
        _expire(admin, kept(admin, server), self._report)
        return self.swapped

    def become(self, name: str, mark: Mark, instead: str = "") -> None:
        """Give it a name of its own for good; what had the name before is dropped.

        Raises:
            StackError: the server refused; whatever has the name stays.
        """
        admin, restorer = self.admin, self.admin.restorer
        text = mark.text(restorer.mark)
        if not instead:
            admin.change(restorer.swap([(self.name, name)], {name: text}), (self.name,))
            self.swapped = Swapped(name, "", 0, 0.0)
            return
        gone = variants.free_name(self._like.server, mark.of, "old", restorer.longest)
        unfinished = variants.mark("new", mark.of, by=admin.key).text(restorer.mark)
        renames = [(instead, gone), (self.name, name)]
        comments = {name: text, gone: unfinished}
        admin.change(restorer.swap(renames, comments), (instead, self.name))
        self.swapped = Swapped(name, "", 0, 0.0)
        _dropped(admin, gone, self._report)

    def _exchange(self, server: Server, dress: str, before: Database | None) -> Swapped:
        admin, live, new = self.admin, self.admin.target.database, self.name
        restorer = admin.restorer
        if before is None:
            admin.change(dress + restorer.swap([(new, live)], {live: ""}), (new,))
            return Swapped(live, "", 0, 0.0)
        old = variants.free_name(server, live, "old", restorer.longest)
        mark = variants.mark("old", live, by=admin.key, comment=before.comment)
        comments = {live: before.comment, old: mark.text(restorer.mark)}
        text = dress + restorer.swap([(live, old), (new, live)], comments)
        done = admin.change(text, (live, new))
        return Swapped(live, old, before.bytes, restorer.read_swap(done.said))


@contextlib.contextmanager
def fresh(admin: Admin, like: Like, report: Report) -> Iterator[Fresh]:
    """Create a database beside the target; it is dropped again unless it was swapped.

    Args:
        admin: from `admin.locked`.
        like: what it is made like.
        report: hears what is done.
    """
    live, restorer, server = admin.target.database, admin.restorer, like.server
    name = variants.free_name(server, live, "new", restorer.longest)
    state = state_of(server, live, like.also)
    made = restorer.create(name, state, server.major)
    if like.template:
        made = restorer.disconnect([like.template])
        made += restorer.copy(name, like.template, server.major)
    if like.dressed:
        _learn(admin, state)
        made += restorer.dress(name, state)
    mark = variants.mark("new", live, by=admin.key).text(restorer.mark)
    found = Fresh(admin, name, like, report)
    try:
        empty = (like.template,) if like.template else ()
        # The server goes on without its client: what it has not finished cannot be dropped yet.
        with sessions.ended_on_failure(admin.project, admin.outside, admin.session):
            admin.change(made + restorer.comment(name, mark), empty)
        yield found
    finally:
        if found.swapped is None:
            _dropped(admin, name, report)


def _dropped(admin: Admin, name: str, report: Report) -> None:
    try:
        admin.drop(name)
    except StackError as problem:
        # What failed before is the error to show; the next run lists what is left.
        report(Warned(f"{name} is still there: {problem}", "the next run offers to drop it"))


def undo(admin: Admin, server: Server, kept: Variant, report: Report) -> Swapped:
    """Make a kept database the live one again; what was live is dropped.

    It has its own owner, rights and settings still: renaming a database keeps them.
    """
    live, restorer = admin.target.database, admin.restorer
    gone = variants.free_name(server, live, "new", restorer.longest)
    mark = variants.mark("new", live, by=admin.key).text(restorer.mark)
    renames, comments = [(kept.name, live)], {live: kept.mark.comment}
    if server.database(live) is not None:
        renames = [(live, gone), *renames]
        comments[gone] = mark
    text = restorer.swap(renames, comments)
    done = admin.change(text, (live, kept.name), then=restorer.drop(gone))
    if not done.whole:
        _dropped(admin, gone, report)
    return Swapped(live, "", 0, restorer.read_swap(done.said))


def kept(admin: Admin, server: Server) -> tuple[Variant, ...]:
    """Return the databases that were replaced and can be brought back, newest first."""
    return variants.find(server, admin.target.database, admin.restorer.mark, "old")


def promise(admin: Admin, server: Server, back: str) -> str:
    """Return what remains of what is replaced, and what goes for it, as a question says it.

    Args:
        admin: the database.
        server: what its server said.
        back: the command that brings the old content back.
    """
    older = ", ".join(each.name for each in kept(admin, server))
    gone = f"; {older}, kept by an earlier run, is dropped" if older else ""
    return f"the old content, for {KEPT_DAYS} days; back with: {back}{gone}"


def _expire(admin: Admin, older: tuple[Variant, ...], report: Report) -> None:
    """Drop what was replaced before the last time; that it fails is no reason to fail."""
    try:
        admin.drop(*(each.name for each in older))
    except StackError as problem:
        report(Warned(f"an older kept database is still there: {problem}"))
    else:
        for each in older:
            report(Note(f"dropped {each.name}, replaced {each.mark.at}"))


def _learn(admin: Admin, like: Database) -> None:
    # A client's error message quotes the statement: some keep a JWT key in a setting.
    secret = [s.value for s in like.settings if redaction.is_sensitive(s.name, s.value)]
    admin.project.secrets.learn(secret)

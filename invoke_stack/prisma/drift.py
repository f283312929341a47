"""How the database differs from what its migrations make: what `migrate status` does not see.

One comparison with the schema is enough as long as they agree. When they differ, a second one
tells a changed database from a changed schema; it needs the migrations applied to a database of
their own, which Prisma 7 makes by itself and we make for Prisma 6.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.database import target as targets
from invoke_stack.database.migrating import Place, State
from invoke_stack.errors import StackError
from invoke_stack.prisma import calls, launch, spots
from invoke_stack.prisma.spots import Spot
from invoke_stack.project import Project

LOCK = "migration_lock.toml"
LATER = "drift is looked at when nothing is {}"


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a database: what is compared, and with what."""

    project: Project
    place: Place
    spot: Spot
    state: State
    files: Mapping[str, Path]

    @property
    def applied(self) -> list[Path]:
        """The SQL of what is in the database, oldest first."""
        known = [self.files[name] for name in self.state.applied if name in self.files]
        return sorted(each for each in known if each.is_file())

    def difference(
        self, words: tuple[str, ...], env: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return how two sides differ, line by line."""
        spot = dataclasses.replace(self.spot, env={**self.spot.env, **(env or {})})
        return launch.difference(self.project, spot, spot.prisma(words, read=True))

    def schema(self, *, back: bool = False) -> tuple[str, ...]:
        """Return the call that compares the database with the schema."""
        path = self.spot.path(self.spot.package.schema)
        return calls.schema_difference(path, self.spot.major, back=back)


def add(
    project: Project, place: Place, spot: Spot, state: State, files: Mapping[str, Path]
) -> State:
    """Return the state with drift and unmigrated changes of the schema.

    Raises:
        StackError: Prisma could not compare, say because the schema is not valid.
    """
    late = "failed" if state.failed else "pending" if state.pending and not place.own else ""
    if late:
        return _noted(state, LATER.format(late))
    look = _Look(project, place, spot, state, files)
    if files and not state.applied:
        look.difference(look.schema())  # of no interest, but Prisma gets in and reads the schema
        return state
    against = () if state.pending else look.difference(look.schema())
    if not against and not state.pending:
        return state
    if not place.own:
        note = "the database differs from the schema: drift, or a change without a migration"
        return dataclasses.replace(_noted(state, note), drift=against)
    try:
        drift = _drift(look)
    except StackError as problem:
        note = f"drift was not looked at: {problem.message}"
        return dataclasses.replace(_noted(state, note), unmigrated=against)
    return dataclasses.replace(state, drift=drift, unmigrated=() if drift else against)


def _drift(look: _Look) -> tuple[str, ...]:
    spot = look.spot
    if spot.major >= calls.CONFIG_SINCE and spot.kind == "host":
        with _only(spot.package.migrations, look.applied) as folder:
            return look.difference(calls.history_difference(str(folder)))
    with _rebuilt(look.project, look.place, look.applied) as rebuilt:
        address = dict.fromkeys(spots.keys(look.place, spot.package), _url(spot, rebuilt))
        made = look.difference(look.schema(back=True), address)
        found = look.difference(look.schema(back=True))
    return found if found != made else ()


def _url(spot: Spot, place: Place) -> str:
    return place.host if spot.kind == "host" else place.stack


@contextmanager
def _only(migrations: Path, applied: list[Path]) -> Iterator[Path]:
    """Yield a folder with the applied migrations alone."""
    with tempfile.TemporaryDirectory(prefix="invstack-") as name:
        for each in applied:
            (Path(name) / each.parent.name).mkdir()
            shutil.copy(each, Path(name) / each.parent.name)
        if (migrations / LOCK).is_file():
            shutil.copy(migrations / LOCK, name)
        yield Path(name)


@contextmanager
def _rebuilt(project: Project, place: Place, applied: list[Path]) -> Iterator[Place]:
    """Yield a database of the same server that the applied migrations alone have made."""
    target = place.target
    if target is None:
        raise StackError("drift", "the server is not this stack's")
    other = place.renamed(f"{target.database[:40]}__drift_{secrets.token_hex(4)}")
    name = '"' + (other.target or target).database.replace('"', '""') + '"'
    stop = "\\set ON_ERROR_STOP on\n"
    targets.ask(project, target, f"{stop}CREATE DATABASE {name} TEMPLATE template0;", read=False)
    try:
        scripts = "\n".join(each.read_text("utf-8") for each in applied)
        targets.ask(project, other.target or target, stop + scripts, read=False)
        yield other
    finally:
        targets.ask(project, target, f"DROP DATABASE IF EXISTS {name} WITH (FORCE);", read=False)


def _noted(state: State, note: str) -> State:
    return dataclasses.replace(state, notes=(*state.notes, note))

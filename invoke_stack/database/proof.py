"""The highest level of `db.verify`: restore a backup into a database made for that, and look."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from invoke_stack import files
from invoke_stack.database import leftovers, sessions
from invoke_stack.database import target as targets
from invoke_stack.database.checks import Check
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.provider import Provider
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Planned, Report, Step
from invoke_stack.project import Project

COUNT_S = 3600


class Prover(Protocol):
    """What a provider has under the attribute ``prover`` when its backups can be proved.

    Names are ours: letters, digits and dashes, nothing to be quoted.
    """

    def create(self, name: str) -> str:
        """Return statements that make an empty database of the connected one's kind."""

    def sweep(self, prefix: str) -> str:
        """Return statements that drop every database of a name prefix."""

    def swept(self, answer: str) -> int:
        """Return how many those were."""

    def load(self, name: str) -> tuple[str, ...]:
        """Return the program that fills a database from the backup on its stdin."""

    def count(self) -> str:
        """Return statements whose output ``read_count`` understands."""

    def read_count(self, output: str) -> tuple[Mapping[str, int], int]:
        """Return the number of objects by kind, as backups count them, and of rows."""

    def refused(self, words: str) -> bool:
        """Return whether our user may not create databases."""

    def broken(self, words: str) -> bool:
        """Return whether the server, not the backup, is to blame."""


def prover(provider: Provider) -> Prover | None:
    """Return what proves this provider's backups, or None."""
    return cast("Prover | None", getattr(provider, "prover", None))


def proved(
    project: Project, target: Target, file: Path, manifest: Manifest, report: Report
) -> Check:
    """Restore the backup into a temporary database, count what is there, drop it again.

    Raises:
        BusyError: another run works on this database.
        StackError: the server gave up; that says nothing about the backup.
    """
    able = prover(target.provider)
    if able is None:
        return Check("L3", "unchecked", f"not restored: {target.provider.name} cannot")
    if project.dry:
        report(Planned(f"restore {file.name} into a temporary database, and drop it"))
        return Check("L3", "unchecked", "not restored: a dry run")
    lock = sessions.lock_path(project.state, target)
    report(Step(f"restoring {file.name} into a temporary database"))
    began = time.monotonic()
    with files.lock(lock, f"database {target.database}"):
        leftovers.end(project, target, lock, report)
        name = sessions.new_name(lock)
        with _temporary(project, target, able, name, report) as made:
            if made is None:
                return Check("L3", "unchecked", f"not restored: {_no_right(target)}")
            problem = _loaded(project, made, able, file, name)
            if problem:
                return Check("L3", "failed", f"does not restore: {problem}")
            answer = targets.ask(project, made, able.count(), read=False, timeout_s=COUNT_S)
    objects, rows = able.read_count(answer)
    difference = _difference(objects, manifest)
    if difference:
        return Check("L3", "failed", f"restored, but {difference}")
    seconds = time.monotonic() - began
    text = f"restored: {objects.get('tables', 0)} tables, {rows:,} rows, {seconds:.1f} s"
    return Check("L3", "ok", text)


def _no_right(target: Target) -> str:
    return f"user {target.login.user} may not create databases"


@contextlib.contextmanager
def _temporary(
    project: Project, target: Target, able: Prover, name: str, report: Report
) -> Iterator[Target | None]:
    """Yield a new database as a target, None without the right to make one; drop it at the end."""
    try:
        try:
            targets.ask(project, target, able.create(name), read=False)
        except StackError as problem:
            if not able.refused("\n".join(problem.detail)):
                raise
            yield None
            return
        login = dataclasses.replace(target.login, database=name)
        yield dataclasses.replace(target, login=login)
    finally:
        try:
            targets.ask(project, target, able.sweep(name), read=False)
        except StackError as problem:
            # The next run drops it; what happened before is what the user has to hear.
            report(Note(f"temporary database {name} is still there: {problem}"))


def _loaded(project: Project, made: Target, able: Prover, file: Path, name: str) -> str:
    """Fill the database; return what is wrong with the backup, or ""."""
    command = made.inside(able.load(name), application=name, fed=True)
    with project.runner.start(command, stdin=file) as running:
        code = running.wait()
    lines = [project.secrets.hide(line) for line in running.tail]
    if code == 0 and not any("error:" in line for line in lines):
        return ""
    words = "\n".join(lines)
    if able.broken(words):
        text = "the server gave up while the backup was restored into a temporary database"
        hint = f"look at it with: inv stack.logs -s {made.service}"
        raise StackError(f"service {made.service}", text, hint=hint, detail=tuple(lines[-4:]))
    return next((line for line in lines if "error:" in line), words or f"exit code {code}")


def _difference(objects: Mapping[str, int], manifest: Manifest) -> str:
    """Return where the database has another number of objects than the backup lists."""
    wanted = {kind: manifest.contents.get(kind, 0) for kind in objects if kind != "large_objects"}
    if "large_objects" in manifest.source:
        wanted["large_objects"] = int(manifest.source["large_objects"])
    return ", ".join(
        f"{objects[kind]} {kind.replace('_', ' ')} in place of {number}"
        for kind, number in wanted.items()
        if objects.get(kind, 0) != number
    )

"""`db.backup`: one verified backup and its manifest, or nothing at all.

Lock, end what dead runs left, look at the room, stream the dump out of the container into a
hidden file while it is hashed and decoded, give it its name, write the manifest. Whatever
fails or interrupts on the way ends the dump inside the container and removes the hidden file.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.database import (
    asking,
    catalog,
    dump,
    forms,
    leftovers,
    locate,
    names,
    prune,
    record,
    sessions,
    shared,
    write,
)
from invoke_stack.database import manifest as manifests
from invoke_stack.database import target as targets
from invoke_stack.database.catalog import Entry
from invoke_stack.database.dump import Dump, Dumped
from invoke_stack.database.job import LONGEST_WAIT_S, Job, Options
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.record import Made
from invoke_stack.database.target import Target
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import BusyError, StackError
from invoke_stack.events import Planned, Report, Step, silent
from invoke_stack.project import Project

DEATH_S = 2.0
"""How long to look for the end of a container whose client died without a word, in seconds."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A published backup; ``seconds`` counts everything, checks included."""

    file: Path
    manifest: Manifest
    seconds: float

    def mapping(self) -> dict[str, Any]:
        """Return the document of `db.backup --json`."""
        return {"schema": 1, "file": str(self.file), "manifest": self.manifest.mapping()}


def backup(
    project: Project,
    declared: Declared,
    docker: Engine | None,
    options: Options | None = None,
    report: Report = silent,
) -> Backup | None:
    """Back the stack's database up, or the one that a variable's URL leads to.

    Args:
        project: the project.
        declared: its stack.
        docker: the engine; None where none answers, which a database elsewhere can do without.
        options: what the flags say.
        report: told what goes on.

    Returns:
        The backup; None in a dry run, which reports what it would do.

    Raises:
        UsageError: a bad label, setting or folder; no such database.
        BusyError: another backup of this database runs.
        UnreachableError: the service does not run or does not answer.
        StackError: the dump failed; nothing was published.
    """
    options = options or Options()
    options.check()
    target = locate.find(project, declared, docker, options.target, report)
    return of(project, docker, target, options, report)


def of(
    project: Project, docker: Engine | None, target: Target, options: Options, report: Report
) -> Backup | None:
    """Back one database up, wherever its programs run; all else is as `backup` has it."""
    began = time.monotonic()
    if project.dry:
        said = targets.ask(project, target, target.provider.facts())
        _plan(Job(project, docker, target, lambda: said, options, report))
        return None
    lock = sessions.lock_path(project.state, target)
    session = sessions.new_name(lock)
    # One call for both: each costs as much as a small dump.
    statements = leftovers.ending(target, lock, session) + target.provider.facts()
    with (
        _alone(lock, f"database {target.database}", options, report),
        asking.begun(project, target, statements, read=False) as taken,
    ):

        @functools.cache
        def answer() -> str:
            said = taken()
            leftovers.tell(target, said, report)
            return said

        job = Job(project, docker, target, answer, options, report, session)
        leftovers.remove(project, job.folder, report)
        file, manifest = _run(job)
    if project.settings.db.prune:
        prune.after(project, job.root, manifest, report)
    return Backup(file, manifest, round(time.monotonic() - began, 2))


def before_removal(project: Project, declared: Declared, docker: Engine) -> tuple[str, ...]:
    """Back every database up that removing the volumes would destroy; return the files.

    Raises:
        StackError: one of them could not be backed up.
    """
    made = []
    for service in targets.at_stake(project, declared, docker):
        options = Options(label="before-removal", kind="safety")
        done = backup(targets.pointed_at(project, service), declared, docker, options)
        made += [str(done.file)] if done else []
    return tuple(made)


@contextlib.contextmanager
def _alone(lock: Path, what: str, options: Options, report: Report) -> Iterator[None]:
    """Hold the target's lock; with `--wait` be patient, and say so."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(files.lock(lock, what))
        except BusyError as busy:
            if not options.wait:
                raise
            report(Step(f"{busy.message}; waiting for it"))
            held.enter_context(files.lock(lock, what, wait_s=LONGEST_WAIT_S))
        yield


def _plan(job: Job) -> None:
    shown = job.project.shown
    if not job.folder.is_dir():
        job.report(Planned(f"create the folder {shown(job.folder)}, for you alone"))
    for path in write.stale(job.folder):
        job.report(Planned(f"remove {shown(path)}, unfinished by a run that died"))
    command = dump.command(job.target, "invstack", job.compressions()[0], job.options.form)
    job.project.runner.capture(command)  # a dry run prints it
    if job.options.globals:
        job.project.runner.capture(job.target.inside(forms.exporter(job.target.provider).globals()))
    job.report(Planned(f"write {shown(job.file(datetime.now(UTC)))} and its manifest"))


def _run(job: Job) -> tuple[Path, Manifest]:
    """Dump with what the last manifest says of the stack's server, while that is asked."""
    found = catalog.entries(job.folder) if job.folder.is_dir() else ()
    known = catalog.of(job.target.database, found)
    try:
        return _written(job.expecting(known), known)
    except _OtherwiseError as problem:
        if problem.error is not None:
            raise problem.error from None
        return _written(job, known)


class _OtherwiseError(Exception):
    """What the server says while the dump runs: an error, or that it is another version."""

    def __init__(self, error: StackError | None = None) -> None:
        super().__init__()
        self.error = error


def _written(job: Job, known: Sequence[Entry]) -> tuple[Path, Manifest]:
    def begun() -> None:
        try:
            if job.facts.major != job.major:
                raise _OtherwiseError
        except StackError as problem:
            raise _OtherwiseError(problem) from problem

    if not job.assumed:
        job.answer()
    write.make_folder(job.root, job.folder)
    alike = (each for each in known if each.manifest and each.manifest.format == job.options.format)
    expected = next((each.bytes for each in alike if not each.problem), 0)
    write.require_space(job.folder, expected)
    when = datetime.now(UTC)
    with write.partial(job.file(when)) as partial:
        form, decode = job.options.form, not job.options.fast
        common = (job.project, job.target, partial, job.session, expected, job.report)
        dumped = _dumped(job, Dump(*common, form, decode, begun))
        beside = shared.read(job.project, job.target) if job.options.globals else ""
        roles = shared.described(partial.final, beside)
        made = Made(partial.final.name, when, job.options, dumped, roles)
        manifest = record.manifest(job.project, job.target, job.facts, made)
        partial.publish(lambda: _commit(partial.final, manifest, beside))
        write.sync_folder(job.folder)
    return partial.final, manifest


def _commit(final: Path, manifest: Manifest, beside: str) -> None:
    """Write what lies beside the backup, the manifest last: it is what makes it one."""
    with shared.written(final, beside):
        manifests.write(names.manifest_of(final), manifest)


def _dumped(job: Job, work: Dump) -> Dumped:
    job.report(Step(f"dumping {job.target.database}"))
    try:
        return work.run(job.compressions())
    except StackError as problem:
        if job.docker is None or not job.target.service:
            raise  # no container of this stack could have ended
        container = _settled(job, job.docker, patience_s=0 if problem.detail else DEATH_S)
        if container is not None and container.running:
            raise
        stopped = targets.stopped(job.target.service, container, job.docker.name)
        text = f"{stopped.message}: it ended during the dump; nothing was written"
        raise StackError(stopped.where, text, hint=stopped.hint, detail=problem.detail) from problem


def _settled(job: Job, docker: Engine, *, patience_s: float) -> Container | None:
    """Return the container; for a while it still counts as running after it was killed."""
    deadline = time.monotonic() + patience_s
    while True:
        target = job.target
        container = targets.container_of(docker, target.project, target.service)
        gone = container is None or not container.running
        if gone or time.monotonic() >= deadline:
            return container
        time.sleep(0.1)

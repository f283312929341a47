"""What upgrades keep: found, put back, removed for good; and what broken runs have left."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from invoke_stack import files, sizes
from invoke_stack.compose import commands
from invoke_stack.database import backup as backups
from invoke_stack.database import sessions
from invoke_stack.database.job import Options
from invoke_stack.database.rails import Confirm
from invoke_stack.database.upgrading import scripts, servers, subject, volumes
from invoke_stack.database.upgrading.subject import TASK, UNDO, Subject
from invoke_stack.database.upgrading.volumes import Volume
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import BusyError, RefusedError, UsageError
from invoke_stack.events import Note, Planned, Report, Step
from invoke_stack.project import Project

DROP = f"inv {TASK} --drop-old"
_END_S, _LOOK_S = 5.0, 0.2
"""How long the engine may go on counting a container that was stopped as running, in seconds."""

HELPERS = ("files", "new", "old", "plain")
"""Our containers; the same names in every run, so that a killed run's are found."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done.

    Attributes:
        kept: the volume that holds the old content; "" where none is kept.
        databases: those that were moved.
        backups: the files written first.
    """

    service: str
    volume: str
    before: str
    after: str
    kept: str = ""
    databases: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    seconds: float = 0.0

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def undo(
    project: Project, declared: Declared, docker: Docker, confirm: Confirm, report: Report
) -> Upgraded | None:
    """Put back what the last upgrade kept; what the volume holds now is backed up where it runs.

    Returns:
        What was done; None in a dry run.

    Raises:
        UsageError: nothing is kept.
        RefusedError: the user said no.
        StackError: it failed; the volume is what it was.
    """
    found = subject.find(project, declared, docker, report)
    with project.alone(TASK):
        found = recovered(project, found, report)
        chosen = _newest(project, found)
        before, after = found.before, str(chosen.record["before"])
        confirm(_question(found, chosen))
        if project.dry:
            report(Planned(f"put the content of volume {chosen.name} into {found.where}"))
            return None
        saved: tuple[str, ...] = ()
        if found.container.running:
            options = Options(label="before-undo", kind="safety", globals=True)
            made = backups.of(project, None, found.target, options, report)
            saved = (project.shown(made.file),) if made else ()
        stop(project, found)
        report(Step(f"putting the content of volume {chosen.name} back"))
        exchange(project, found, chosen.name, str(chosen.record["folder"]))
        volumes.remove(project, chosen.name)
    name = found.service.name
    return Upgraded(name, found.volume.name, before, after, backups=saved)


def drop(
    project: Project, declared: Declared, docker: Docker, confirm: Confirm, report: Report
) -> tuple[str, ...]:
    """Remove what upgrades of this volume have kept; return the volumes' names.

    Raises:
        UsageError: nothing is kept.
        RefusedError: the volume itself holds nothing, or the user said no.
    """
    found = subject.find(project, declared, docker, report)
    with project.alone(TASK):
        found = recovered(project, found, report)
        doomed = keeping(project, found)
        if not doomed:
            raise _nothing(found)
        if not found.before:
            text = "holds no database, so what was kept is all there is"
            raise RefusedError(found.where, text, hint=UNDO)
        lines = [f"{TASK} --drop-old removes for good:"]
        lines += [f"  {each.name}  {sizes.shown(each.used)}" for each in doomed]
        confirm("\n".join([*lines, "go on?"]))
        names = tuple(each.name for each in doomed)
        volumes.remove(project, *names)
    return () if project.dry else names


def keeping(project: Project, found: Subject) -> tuple[Volume, ...]:
    """Return the volumes that hold what upgrades have kept of this one, newest first.

    A copy counts as kept once the volume holds what it was kept for: a run that was killed before
    that has left its copy behind, and nothing was replaced.
    """
    names = volumes.found(project, found.volume.name)
    looked = (volumes.look(project, found.image, name, scripts.CLUSTER) for name in names)
    complete = [each for each in looked if each.record]
    if not found.before:
        return tuple(complete)  # what was killed where, nobody can tell: nothing goes
    reached, kept = {found.before}, []
    for each in complete:
        if each.record.get("after") in reached:
            reached.add(str(each.record.get("before")))
            kept.append(each)
    return tuple(kept)


def _question(found: Subject, chosen: Volume) -> str:
    now = f"PostgreSQL {found.before or 'none'}, {sizes.shown(found.volume.used)}"
    then = f"PostgreSQL {chosen.record['before']} of {chosen.record['at']}"
    saved = "a backup of its database" if found.container.running else "nothing: no server runs"
    text = f"{TASK} --undo replaces all data in {found.where} ({now}) with that of {then}"
    return f"{text}\n  kept: {saved}\ngo on?"


def _newest(project: Project, found: Subject) -> Volume:
    kept = keeping(project, found)
    if not kept:
        raise _nothing(found)
    return kept[0]


def _nothing(found: Subject) -> UsageError:
    return UsageError(found.where, "no upgrade has kept anything of it", hint="inv db.backups")


def recovered(project: Project, found: Subject, report: Report) -> Subject:
    """Remove what a killed run has left; bring the volume back to what it was before it.

    Call it under the lock: whatever is there then belongs to no living run.
    """
    if project.dry:
        return found
    remove_helpers(project, found)
    found = found.looked(project)
    if found.volume.unfinished:
        stop(project, found)
        back(project, found)
        found = found.looked(project)
    kept = {each.name for each in keeping(project, found)}
    for name in volumes.found(project, found.volume.name):
        if name not in kept:
            volumes.remove(project, name)
            report(Note(f"removed volume {name}, left by a run that was broken off"))
    return found


def remove_helpers(project: Project, found: Subject) -> None:
    """Remove our containers; a script that runs in one is broken off."""
    servers.remove(project, *map(found.helper, HELPERS))


def back(project: Project, found: Subject) -> None:
    """Undo a broken exchange, or finish one that counts already."""
    mounts = (f"{found.volume.name}:/to",)
    volumes.change(project, found.image, mounts, scripts.BACK, name=found.helper("files"))


def exchange(project: Project, found: Subject, source: str, folder: str) -> None:
    """Put the cluster of a volume of ours in place of the one that is in the service's.

    Raises:
        StackError: it failed; the volume is what it was.
    """
    mounts = (f"{source}:/from:ro", f"{found.volume.name}:/to")
    name = found.helper("files")
    words = (found.volume.cluster.folder if found.before else folder, folder)
    try:
        volumes.change(project, found.image, mounts, scripts.SWAP, *words, name=name)
    except BaseException:
        back(project, found)
        raise


def stop(project: Project, found: Subject) -> None:
    """Stop the service: two servers on one volume would destroy it.

    Raises:
        BusyError: a backup or restore works on it, or another container runs on its volume.
    """
    with files.lock(sessions.lock_path(project.state, found.target), found.target.where):
        words = ("stop", found.service.name)
        done = project.runner.capture(commands.by_name(found.project, *words))
        done.require(f"service {found.service.name}", "could not be stopped")
    deadline = time.monotonic() + _END_S
    while (others := volumes.users(project, found.volume.name)) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    if others:
        hint = f"stop it first: docker stop {others[0]}"
        raise BusyError(found.where, f"container {others[0]} runs on it", hint=hint)

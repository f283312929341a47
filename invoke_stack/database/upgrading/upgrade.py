"""`db.upgrade`: the data of an older major version in a volume of the image's version.

    volume -> compared copy of it -> old server on the copy -> backups
           -> new server on a new volume: everything moved, everything compared
           -> started as the service starts it -> its files in place of the old ones

The service's own volume is only read until the last step, which is a renaming of files that any
break takes back. The copy is what stays for `--undo`.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from invoke_stack import sizes
from invoke_stack.compose import commands
from invoke_stack.database import everything, rails
from invoke_stack.database.logins import as_role
from invoke_stack.database.rails import Action, Confirm
from invoke_stack.database.upgrading import images, kept, moving, scripts, servers, subject, volumes
from invoke_stack.database.upgrading.kept import DROP, Upgraded
from invoke_stack.database.upgrading.moving import MAINTENANCE, State
from invoke_stack.database.upgrading.servers import NEW_PORT, Server
from invoke_stack.database.upgrading.subject import TASK, UNDO, Subject
from invoke_stack.database.values import Stakes
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.events import Planned, Report, Step, Warned
from invoke_stack.project import Project

BACK = "nothing was changed: the volume is what it was"
_LOCALE = ("LANG", "LC_ALL", "TZ")
_STAMP = "%Y%m%dT%H%M%SZ"


def upgrade(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Docker,
    image: str,
    confirm: Confirm,
    report: Report,
) -> Upgraded | None:
    """Bring a service's volume to the major version of its image.

    Args:
        project: the project.
        declared: its stack, with the new image.
        docker: the engine.
        image: one of the old version; "" finds one.
        confirm: asks the user.
        report: hears what is done.

    Returns:
        What was done; None where there is nothing to do, and in a dry run.

    Raises:
        UsageError: no such image or volume, a downgrade.
        RefusedError: the database is protected, or the user said no.
        BusyError: another run brings the stack up or down, or works on the database.
        StackError: it failed; the volume is what it was.
    """
    found = subject.find(project, declared, docker, report)
    with project.alone(TASK):
        found = kept.recovered(project, found, report)
        if found.before == found.new:
            for each in found.volume.clusters[1:]:
                text = f"{found.where} also holds PostgreSQL {each.version} in {each.folder}"
                report(Warned(text, "an image of that version reads it, with its PGDATA there"))
            return None
        subject.require_older(found)
        old = _old_image(project, docker, found, image, report)
        _allowed(project, found, confirm)
        volumes.require_room(found.volume)
        stamp = datetime.now(UTC).strftime(_STAMP)
        run = _Run(
            project, docker, found, report, old, f"{found.volume.name}_pg{found.before}_{stamp}"
        )
        if project.dry:
            run.plan()
            return None
        return run.all()


@dataclass(frozen=True, slots=True)
class _Run:
    """One upgrade, once it is allowed.

    Attributes:
        old: an image of the old version.
        aside: the volume that keeps the old content.
    """

    project: Project
    docker: Docker
    found: Subject
    report: Report
    old: str
    aside: str

    @property
    def fresh(self) -> str:
        """The volume that the new content is made in."""
        return f"{self.aside}_new"

    def plan(self) -> None:
        """Say what would be done."""
        found = self.found
        name, size = found.volume.name, sizes.shown(found.volume.used)
        for text in (
            f"stop {found.service.name}, copy volume {name} ({size}) to {self.aside}",
            f"start {self.old} on that copy and back its databases up",
            f"move everything to {found.image} on a new volume, and compare",
            f"put that content into volume {name}; {self.aside} is kept for {UNDO}",
        ):
            self.report(Planned(text))

    def all(self) -> Upgraded:
        """Do everything; whatever breaks leaves the volume as it was and nothing else behind."""
        began, project, found = time.monotonic(), self.project, self.found
        done = False
        try:
            kept.stop(project, found)
            self.keep()
            state, saved = self.renewed()
            self.report(Step(f"putting PostgreSQL {found.new}'s files into {found.where}"))
            kept.exchange(project, found, self.fresh, found.folder)
            done = True
        except BaseException as problem:
            done = True  # unless it is seen that the volume is what it was
            done = self.after_break(problem)
            raise
        finally:
            volumes.remove(project, self.fresh, *(() if done else (self.aside,)))
        seconds = round(time.monotonic() - began, 2)
        name, volume = found.service.name, found.volume.name
        return Upgraded(
            name, volume, found.before, found.new, self.aside, state.databases, saved, seconds
        )

    def after_break(self, problem: BaseException) -> bool:
        """Look what counts now and start the service again; return whether the new content does."""
        kept.remove_helpers(self.project, self.found)
        now = self.found.looked(self.project)
        if now.before != self.found.before or now.volume.unfinished:
            return True  # interrupted after the last renaming, or not yet taken back
        if isinstance(problem, StackError):
            problem.hint = problem.hint or BACK
        if self.found.container.running:
            words = ("start", self.found.service.name)
            self.project.runner.capture(commands.by_name(self.found.project, *words))
        return False

    def keep(self) -> None:
        """Copy the volume's cluster."""
        found = self.found
        self.report(Step(f"copying {found.where} ({sizes.shown(found.volume.used)})"))
        volumes.create(self.project, self.aside, found.volume.name)
        record = {
            "before": found.before,
            "after": found.new,
            "folder": found.volume.cluster.folder,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        mounts = (f"{found.volume.name}:/from:ro", f"{self.aside}:/to")
        words = (found.volume.cluster.folder, json.dumps(record))
        volumes.change(
            self.project, found.image, mounts, scripts.KEEP, *words, name=found.helper("files")
        )

    def renewed(self) -> tuple[State, tuple[str, ...]]:
        """Make the new content in its volume; return what was moved, and the backups."""
        project, found = self.project, self.found
        self.report(Step(f"starting {self.old} on the copy"))
        old = Server(found.helper("old"), self.old, self.aside, user=found.service.user)
        with servers.running(project, self.docker, old):
            state = moving.state(project, old, (found.target.login.user, MAINTENANCE))
            own = dataclasses.replace(found.target, container=old.name)
            target = as_role(own, state.owner, found.target.database)
            names = tuple(each for each in state.databases if each not in state.templates)
            saved = everything.saved(project, target, names, "before-upgrade", self.report)
            new = self.made(old, state.owner)
            with servers.running(project, self.docker, new):
                moving.move(project, new, state, self.report)
                moving.compare(project, new, state, self.report)
                moving.tell(project, new, state, self.report)
        self.carry()
        self.report(Step(f"starting {found.image} as the service will"))
        plain = Server(
            found.helper("plain"), found.image, self.fresh, user=found.service.user, plain=True
        )
        with servers.running(project, self.docker, plain):
            return state, saved

    def made(self, old: Server, owner: str) -> Server:
        """Make the new volume and an empty cluster in it; return its server."""
        project, found = self.project, self.found
        volumes.create(project, self.fresh, found.volume.name)
        user, files = found.service.user, found.helper("files")
        mounts = (f"{self.fresh}:/to",)
        words = (user or "postgres",)
        volumes.change(project, found.image, mounts, scripts.PREPARE, *words, name=files)
        name, beside = found.helper("new"), f"container:{old.name}"
        new = Server(name, found.image, self.fresh, NEW_PORT, user, beside)
        args = shlex.split(found.environment.get("POSTGRES_INITDB_ARGS", ""))
        env = {key: found.environment[key] for key in _LOCALE if found.environment.get(key)}
        servers.made(project, new, owner, args, env)
        return new

    def carry(self) -> None:
        """Give the new cluster the old one's rules of who may log in."""
        mounts, name = (f"{self.aside}:/from:ro", f"{self.fresh}:/to"), self.found.helper("files")
        volumes.change(self.project, self.found.image, mounts, scripts.CARRY, name=name)


def _old_image(project: Project, docker: Docker, found: Subject, named: str, report: Report) -> str:
    candidates = (found.container.image, *images.likely(found.image, found.before, found.new))
    likely = tuple(each for each in candidates if each and each != found.image)
    return images.old(project, docker, report, found.before, likely, named)


def _allowed(project: Project, found: Subject, confirm: Confirm) -> None:
    stakes = Stakes(bytes=found.volume.used)
    everything.require_unprotected(project, found.target.database, stakes)
    text = f"moves from PostgreSQL {found.before} to {found.new}, with all of its server,"
    aside = f"the old content, until: {DROP}; back with: {UNDO}. It does not answer meanwhile"
    about = rails.Subject(found.target.database, found.service.name, "stack", stakes)
    confirm(rails.question(about, Action(TASK, text, kept=aside)))

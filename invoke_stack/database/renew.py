"""`db.reset --volume`: a fresh volume under the database service, the only way to one.

Everything on the server goes, roles and other databases included, so every database is backed up
and checked first, and the app's name has to be typed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from invoke_stack import sizes
from invoke_stack.compose import commands
from invoke_stack.database import everything, logins, rails
from invoke_stack.database import target as targets
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.target import Target
from invoke_stack.engines.containers import Volume
from invoke_stack.engines.docker import Docker
from invoke_stack.errors import RefusedError
from invoke_stack.events import Note, Planned, Report, Step
from invoke_stack.process import Command
from invoke_stack.project import Project

TASK = "db.reset --volume"
_NAMES = """\\set ON_ERROR_STOP on
SELECT json_object_agg(datname, pg_database_size(oid) ORDER BY datname) FROM pg_database
WHERE datallowconn AND NOT datistemplate;
"""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A service whose volume is new; ``backups`` are of what was in the old one."""

    database: str
    service: str
    volume: str
    backups: tuple[str, ...]
    seconds: float

    def mapping(self) -> dict[str, Any]:
        """Return the document of `db.reset --volume --json`."""
        return asdict(self)


def renew(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    docker: Docker,
    target: Target,
    fill: Callable[[], None],
    consent: Consent,
    confirm: Confirm,
    report: Report,
) -> Renewed | None:
    """Remove the volume of a service after a backup of all of it, and fill a fresh one.

    Args:
        project: the project.
        docker: the engine.
        target: the stack's database; it runs.
        fill: starts the service again, and migrates and seeds the empty database.
        consent: what the flags allow.
        confirm: asks the user.
        report: hears what is done.

    Returns:
        What became of it; None in a dry run.

    Raises:
        RefusedError: the volume is not this stack's, a database is protected, or the name was
            not typed.
        BusyError: another run brings the stack up or down.
        StackError: it failed; says where the backups are.
    """
    began = time.monotonic()
    volume = _volume(docker, target)
    sizes_ = json.loads(targets.ask(project, target, _NAMES))
    everything.require_unprotected(project, target.database, rails.subject(project, target).stakes)
    if consent.name not in {"", target.database}:
        text = f"--confirm {consent.name} names another one"
        raise RefusedError(f"database {target.database}", text, hint="it is typed as it is called")
    if consent.name != target.database:
        confirm(question(target, volume, sizes_), target.database)
    if project.dry:
        report(Planned(f"back up {', '.join(sizes_)}"))
        report(Planned(f"remove volume {volume.name}, start {target.service} and fill a new one"))
        return None
    with project.alone(TASK):
        saved = everything.saved(project, target, tuple(sizes_), "before-reset", report)
        for file in saved:
            report(Note(f"backup: {file}; back with: inv db.restore --file {file}"))
        _remove(project, target, volume, report)
    fill()
    seconds = round(time.monotonic() - began, 2)
    return Renewed(target.database, target.service, volume.name, saved, seconds)


def question(target: Target, volume: Volume, databases: dict[str, int]) -> str:
    """Return what is asked: the volume, and everything in it."""
    lines = [f"{TASK} removes volume {volume.name} of service {target.service} with all of it:"]
    lines += [f"  database {name}  {sizes.shown(size)}" for name, size in databases.items()]
    lines.append("  every role, snapshot and kept database")
    return "\n".join([*lines, "  kept: a backup of each database that has tables", "go on?"])


def _volume(docker: Docker, target: Target) -> Volume:
    """Return the volume with the server's data, which must be this stack's own."""
    data = docker.environment(target.container).get("PGDATA") or logins.DATA
    _, name = docker.mounted(target.container, data)
    own = {each.name: each for each in docker.volumes(target.project)}
    if name not in own:
        what = f"volume {name} is not this stack's own" if name else "its data is in no volume"
        hint = "inv db.reset makes a new database in it"
        raise RefusedError(target.where, what, hint=hint)
    return own[name]


def _remove(project: Project, target: Target, volume: Volume, report: Report) -> None:
    report(Step(f"removing volume {volume.name}"))
    words = ("rm", "--stop", "--force", target.service)
    done = project.runner.capture(commands.by_name(target.project, *words))
    done.require(target.where, "its container could not be removed", hint="inv stack.ps")
    done = project.runner.capture(Command(("docker", "volume", "rm", volume.name)))
    hint = "nothing is lost: inv stack.up starts it as it was"
    done.require(f"volume {volume.name}", "could not be removed", hint=hint)

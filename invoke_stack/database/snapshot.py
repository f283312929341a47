"""`db.snapshot` and `db.rewind`: a copy of the database inside the server, and back to it.

A snapshot is a copy of files: seconds for what takes minutes to dump and restore. It lies in the
same volume and dies with it, so it is an undo and no backup.
"""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from typing import Any

from invoke_stack import files
from invoke_stack.database import admin as admins
from invoke_stack.database import housekeeping, locate, names, rails, swap, variants
from invoke_stack.database.admin import Admin
from invoke_stack.database.rails import Confirm, Consent
from invoke_stack.database.restoring import preflight
from invoke_stack.database.restoring.request import Restored, undo
from invoke_stack.database.state import Server
from invoke_stack.database.variants import Variant
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.events import Planned, Report, Step, silent
from invoke_stack.project import Project

VOLATILE = "volatile (same volume)"
DEFAULT = "default"
_RECORD = "snapshots.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy inside the server.

    Attributes:
        name: the user's word for it.
        copy: the database that holds it.
        created_at: when it was made.
        seconds: how long that took, 0 in a list.
    """

    name: str
    database: str
    copy: str
    bytes: int
    created_at: str
    seconds: float = 0.0

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**dataclasses.asdict(self), "state": VOLATILE}


def snapshot(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Engine | None,
    name: str,
    report: Report = silent,
    key: str = "",
) -> Snapshot | None:
    """Copy the database inside its server; its clients are disconnected while that lasts.

    A snapshot of that name is replaced once the new one is there.

    Args:
        project: the project.
        declared: its stack.
        docker: the engine; None where none answers.
        name: the user's word for it, "" for the default one.
        report: hears what is done.
        key: the variable whose URL leads to the database, "" for the stack's own.

    Returns:
        The snapshot; None in a dry run.

    Raises:
        UsageError: a bad name, no such database, no right to create one.
        StackError: it failed; nothing was changed.
    """
    began = time.monotonic()
    label = names.checked_label(name or DEFAULT, "name")
    admin, server = _connected(project, declared, docker, key)
    live = admin.target.database
    preflight.require_rights(server, live)
    source = server.database(live)
    if source is None:
        text = "does not exist on this server"
        raise UsageError(f"database {live}", text, hint="restore a backup: inv db.restore")
    if project.dry:
        report(Planned(f"copy {live} ({source.bytes:,} bytes) as snapshot {label}"))
        return None
    with admins.locked(admin, report) as (held, found):
        now = housekeeping.done(held, found, report)
        report(Step(f"copying {live}"))
        made = _copied(held, now, label, report)
    seconds = round(time.monotonic() - began, 2)
    return dataclasses.replace(made, seconds=seconds)


def _copied(admin: Admin, server: Server, label: str, report: Report) -> Snapshot:
    """Copy under a name for unfinished databases first: a killed copy is no snapshot."""
    live, longest = admin.target.database, admin.restorer.longest
    before = [each.name for each in _labelled(admin, server, label)]
    final = before[0] if before else variants.name(live, "snap", label, longest)
    mark = variants.mark("snap", live, by=admin.key, label=label)
    with swap.fresh(admin, swap.Like(server, template=live), report) as new:
        new.become(final, mark, *before)
    _record(admin, admin.server())
    size = getattr(server.database(live), "bytes", -1)
    return Snapshot(label, live, final, size, mark.at)


def delete(
    project: Project, declared: Declared, docker: Engine | None, name: str, key: str = ""
) -> tuple[str, ...]:
    """Drop a snapshot; return the names of what was dropped, nothing in a dry run.

    Raises:
        UsageError: there is none of that name.
    """
    admin, server = _connected(project, declared, docker, key)
    doomed = tuple(each.name for each in _require(admin, server, name))
    if project.dry:
        return ()
    with admins.locked(admin, silent) as (held, _):
        held.drop(*doomed)
        _record(held, held.server())
    return doomed


def rewind(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    declared: Declared,
    docker: Engine | None,
    name: str,
    consent: Consent,
    confirm: Confirm,
    report: Report = silent,
    key: str = "",
) -> Restored | None:
    """Make a copy of a snapshot the live database; the snapshot stays, so does the old content.

    Returns:
        What became of it; None in a dry run.

    Raises:
        UsageError: there is no such snapshot.
        RefusedError: a rail.
        StackError: it failed; the live database is what it was.
    """
    began = time.monotonic()
    target = locate.find(project, declared, docker, key, report)
    admins.permitted(project, target, "db.rewind", consent)
    admin, server = admins.connect(project, target, stakes=True)
    live = target.database
    chosen, *_ = _require(admin, server, name)
    preflight.require_rights(server, live)
    action = rails.Action(
        "db.rewind",
        housekeeping.warning(admin, server) + "replaces",
        source=f"snapshot {chosen.mark.label} of {chosen.mark.at}",
        kept=swap.promise(admin, server, undo(key)),
    )
    if server.database(live) is not None:
        rails.require(project, admin.target, action, consent, confirm, admin.stakes)
    if project.dry:
        report(Planned(f"copy {chosen.name} and rename the copy to {live}, keep the old one"))
        return None
    with admins.locked(admin, report) as (held, found):
        now = housekeeping.done(held, found, report)
        report(Step(f"copying snapshot {chosen.mark.label}"))
        with swap.fresh(held, swap.Like(now, template=chosen.name), report) as new:
            done = new.swap()
    seconds = round(time.monotonic() - began, 2)
    label = chosen.mark.label
    back = undo(key) if done.kept else ""
    return Restored(live, None, done.kept, done.bytes, done.seconds, seconds, label, back)


def entries(project: Project, declared: Declared, docker: Engine) -> tuple[Snapshot, ...]:
    """Return the snapshots that the server has, newest first.

    A project that never made one is not asked: the answer is empty without any server.

    Raises:
        StackError: the database does not run or does not answer.
    """
    if not recorded(project):
        return ()
    admin, server = _connected(project, declared, docker)
    return _record(admin, server)


def recorded(project: Project) -> bool:
    """Return whether this project has made a snapshot that was there when last looked at."""
    return bool(files.read_json(project.root / ".invoke-stack" / _RECORD).get("snapshots"))


def _record(admin: Admin, server: Server) -> tuple[Snapshot, ...]:
    live = admin.target.database
    found = tuple(
        Snapshot(each.mark.label, live, each.name, each.database.bytes, each.mark.at)
        for each in variants.find(server, live, admin.restorer.mark, "snap")
    )
    if not admin.project.dry:
        text = json.dumps({"snapshots": [each.mapping() for each in found]}, indent=2)
        files.write(admin.project.state / _RECORD, text + "\n")
    return found


def _connected(
    project: Project, declared: Declared, docker: Engine | None, key: str = ""
) -> tuple[Admin, Server]:
    return admins.connect(project, locate.find(project, declared, docker, key))


def _labelled(admin: Admin, server: Server, label: str) -> tuple[Variant, ...]:
    found = variants.find(server, admin.target.database, admin.restorer.mark, "snap")
    return tuple(each for each in found if each.mark.label == label)


def _require(admin: Admin, server: Server, name: str) -> tuple[Variant, ...]:
    """Return the snapshot of that name; without a name the newest one."""
    found = variants.find(server, admin.target.database, admin.restorer.mark, "snap")
    chosen = found[:1] if not name else _labelled(admin, server, name)
    if not chosen:
        there = ", ".join(each.mark.label for each in found)
        text = f"there is no snapshot {name}".rstrip()
        hint = f"there are: {there}" if there else "make one with: inv db.snapshot"
        raise UsageError(f"database {admin.target.database}", text, hint=hint)
    return chosen

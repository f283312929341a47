"""From what is wanted to a running service: programs, data, port, process."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose import families
from invoke_stack.engines.embedded import (
    account,
    cluster,
    declaring,
    initscripts,
    mounts,
    postgres,
    processes,
    programs,
    record,
    redis,
    serving,
    sockets,
)
from invoke_stack.engines.embedded.account import Account
from invoke_stack.engines.embedded.declaring import Wanted
from invoke_stack.engines.embedded.programs import Programs
from invoke_stack.engines.embedded.record import Home, Record
from invoke_stack.errors import UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

CARRY = "inv db.backup, then inv stack.down --volumes, inv stack.up and inv db.restore"
"""How data gets from one major version to another."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """A service with all that its process needs; nothing of it runs or exists yet.

    Attributes:
        account: who it runs as, None for the caller.
        notes: what the user should know.
        warnings: what will bite later.
    """

    wanted: Wanted
    programs: Programs
    account: Account | None
    notes: tuple[str, ...] = ()
    warnings: tuple[events.Warned, ...] = ()


def ready(project: Project, wanted: Wanted) -> Ready:
    """Return what a service will run on; looks only.

    Raises:
        UsageError: no programs for it are here, or its command needs a container.
        StackError: its data lacks what no server starts without.
    """
    home = record.home(project, wanted.service)
    fresh = not home.data.exists()
    if wanted.kind == "postgres" and fresh:
        postgres.settings(wanted.service, wanted.environment)
    found, warnings = _programs(project, wanted)
    chosen = account.find(project.environ, project.root, home.data)
    if wanted.kind == "postgres" and home.data.exists():
        postgres.require_whole(home.data)
    notes = list(wanted.notes)
    if chosen is not None and fresh:
        notes.append(f"runs as user {chosen.name}: it must not run as root")
    return Ready(
        wanted=wanted,
        programs=found if project.dry else account.reachable(found, wanted.kind, chosen),
        account=chosen,
        notes=tuple(f"{wanted.service}: {note}" for note in notes),
        warnings=warnings,
    )


def fitting(project: Project, wanted: Wanted) -> tuple[Programs, str, str]:
    """Return the programs that fit a service's data, else its image.

    Where they are not of the image's version, why and what to do about it come along.

    Raises:
        UsageError: there are none, or none of the data's version.
    """
    data = record.home(project, wanted.service).data
    major = postgres.version_of(data) if wanted.kind == "postgres" else 0
    if not major:
        found, why = programs.find(project, wanted.kind, wanted.major)
        return found, why, programs.HINTS[wanted.kind] if why else ""
    found = programs.exact(project, wanted.kind, major)
    if wanted.major in (0, major):
        return found, "", ""
    why = f"its data here is of version {major}, the image asks for {wanted.major}"
    return found, f"runs on {found.shown}: {why}", CARRY


def _programs(project: Project, wanted: Wanted) -> tuple[Programs, tuple[events.Warned, ...]]:
    """Return the programs that a service runs on, and what is wrong with them."""
    found, why, hint = fitting(project, wanted)
    lacks = _extension(project, wanted, found)
    said = ((why, hint), (lacks, programs.HINTS["postgres"]))
    name = f"{wanted.service} ({wanted.image})"
    return found, tuple(events.Warned(f"{name} {text}", instead) for text, instead in said if text)


def planned(project: Project, found: Ready, port: int) -> Record:
    """Return a service's record on a port; its data and sockets are made by `provide`.

    Raises:
        UsageError: its command needs a container.
    """
    wanted = found.wanted
    argv: tuple[str, ...] = (found.programs.server, "-")
    config = ""
    if wanted.kind == "postgres":
        mark = processes.mark(record.home(project, wanted.service).data)
        argv = postgres.server(wanted.command, wanted.mounts, f"{wanted.volume[:50]}.{mark}")
    else:
        lines = redis.directives(
            wanted.command, wanted.environment, wanted.mounts, wanted.service, wanted.image
        )
        config = redis.config(lines, port, found.programs.version)
    return Record(
        service=wanted.service,
        kind=wanted.kind,
        image=wanted.image,
        place=record.place(project, wanted.service),
        volume=wanted.volume,
        target=wanted.target,
        port=port,
        programs=str(found.programs.folder),
        argv=argv,
        sockets="",
        account=found.account.numbers if found.account else None,
        environment=wanted.environment,
        command=wanted.command,
        config=config,
    )


def provide(project: Project, found: Ready, plan: Record, report: events.Report) -> Record:
    """Make the service's data where there is none, and return its record with its folders."""
    home = serving.prepare(project, plan.service)
    if plan.kind == "postgres":
        place = sockets.make(home.folder, found.account, known=plan.sockets)
        plan = dataclasses.replace(plan, sockets=str(place))
        if not home.data.exists():
            report(events.Step(f"{plan.service}: making its database"))
            try:
                cluster.make(_making(project, found, home, place, plan, report), report)
            finally:
                if not home.data.exists():
                    sockets.give_up(str(place))
    elif not home.data.exists():
        _folder(home, found.account)
    record.name_volume(project, plan.service, plan.volume)
    return plan


def _making(  # noqa: PLR0913 - what a cluster is made of
    project: Project, found: Ready, home: Home, place: Path, plan: Record, report: events.Report
) -> cluster.Making:
    wanted = found.wanted
    folder = mounts.find(postgres.SCRIPTS, wanted.mounts)
    single = [
        each.source for each in wanted.mounts if each.target.startswith(f"{postgres.SCRIPTS}/")
    ]
    known, unknown = initscripts.find(folder, single)
    for each in unknown:
        report(events.Warned(f"{plan.service}: {each.name} is no init script that runs here"))
    return cluster.Making(
        project=project,
        service=plan.service,
        programs=found.programs.folder,
        data=home.data,
        sockets=place,
        account=found.account,
        settings=postgres.settings(plan.service, wanted.environment),
        argv=plan.argv,
        environment=wanted.environment,
        scripts=known,
    )


def _folder(home: Home, owner: Account | None) -> None:
    home.data.mkdir(mode=0o700)
    if owner is not None:
        owner.own(home.data)


def _extension(project: Project, wanted: Wanted, found: Programs) -> str:
    """Return what to say about an image's extension that these programs lack."""
    name = declaring.EXTENSIONS.get(families.image_name(wanted.image), "")
    if not name or wanted.kind != "postgres":
        return ""
    asked = Command((str(found.folder / "pg_config"), "--sharedir"), effect="read")
    try:
        share = project.runner.capture(asked, timeout_s=20).stdout.strip()
    except UsageError:
        share = ""
    if (Path(share) / "extension" / f"{name}.control").is_file():
        return ""
    return f"brings the extension {name}, which PostgreSQL in {found.folder} does not have"

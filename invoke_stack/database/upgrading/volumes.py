"""The volumes of an upgrade: what is in one, a new one, a cluster kept or put in place of another.

Containers that live for one script do the work, without a network. A volume cannot be renamed, so
content is copied, compared, and only then takes the place of what was there; see `scripts`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from invoke_stack.database.upgrading import scripts
from invoke_stack.errors import StackError
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

LABEL = "dev.invoke-stack.upgrade"
"""On every volume of an upgrade; its value is the volume that it belongs to."""

_KIB = 1024
_DISK = re.compile(r"\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server's data in a volume: its major version, and the folder ("." for all of it)."""

    version: str
    folder: str


@dataclass(frozen=True, slots=True)
class Volume:
    """What is in a volume; sizes are in bytes.

    Attributes:
        clusters: the one in the image's folder first.
        elsewhere: parts of a cluster that lie outside its folder.
        unfinished: a change of its content was broken off.
        record: in a volume that keeps an old cluster: what it is. Empty where it is not complete.
        used: what all of it takes.
        free: room on the volume's disk; -1 where it cannot be told.
        engine: room on the disk of the engine's other volumes; ``free`` where it is the same.
        shared: whether it is the same.
    """

    name: str
    clusters: tuple[Cluster, ...] = ()
    elsewhere: tuple[str, ...] = ()
    unfinished: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)
    used: int = 0
    free: int = 0
    engine: int = 0
    shared: bool = True

    @property
    def cluster(self) -> Cluster:
        """The cluster that counts; one without a version where there is none."""
        return self.clusters[0] if self.clusters else Cluster("", ".")


def script(
    image: str,
    mounts: tuple[str, ...],
    text: str,
    *words: str,
    name: str = "",
) -> Command:
    """Return the call of a script in a container that lives for it alone; it needs root."""
    flags = [word for each in mounts for word in ("--volume", each)]
    flags += ["--name", name] if name else []
    head = ("docker", "run", "--rm", "--pull", "never", "--network", "none", "--user", "0", *flags)
    argv = (*head, "--entrypoint", "sh", image, "-c", text, "sh", *words)
    return Command(argv, effect="write" if name else "read")


def look(project: Project, image: str, name: str, folder: str = ".") -> Volume:
    """Return what is in a volume; the image's shell looks, without writing.

    Raises:
        StackError: that did not work.
    """
    call = script(image, (f"{name}:/volume:ro",), scripts.LOOK, folder)
    done = project.runner.capture(call)
    if done.code != 0:
        raise _failed(project, f"volume {name}", done)
    return read(name, done.stdout)


def read(name: str, output: str) -> Volume:
    """Return what the script that looks has printed."""
    words = [line.partition(" ")[::2] for line in output.splitlines()]
    facts = dict(words)
    clusters = (rest.partition(" ")[::2] for key, rest in words if key == "cluster")
    total, free = _room(facts.get("room", ""))
    engine_total, engine = _room(facts.get("engine", ""))
    used = facts.get("used", "")
    record: dict[str, Any] = {}
    with suppress(ValueError):
        record = json.loads(facts.get("kept", ""))
    return Volume(
        name=name,
        clusters=tuple(Cluster(version, folder) for version, folder in clusters),
        elsewhere=tuple(rest for key, rest in words if key == "elsewhere"),
        unfinished="unfinished" in facts,
        record=record if isinstance(record, dict) else {},
        used=int(used) * _KIB if used.isdecimal() else 0,
        free=free,
        engine=engine,
        shared=total == engine_total,
    )


def _room(line: str) -> tuple[int, int]:
    """Return all room and the free room of a line of `df -Pk`, -1 where there is none."""
    found = _DISK.search(line)
    return (int(found[1]) * _KIB, int(found[2]) * _KIB) if found else (-1, -1)


def require_room(volume: Volume) -> None:
    """Require room for an upgrade: two volumes more, and for a while a third copy beside the data.

    Raises:
        StackError: there is less.
    """
    beside, more = int(volume.used * 1.1), int(volume.used * 2.2)
    needs = [("the volume's disk", volume.free, beside), ("the engine's disk", volume.engine, more)]
    if volume.shared:
        needs = [("the engine's disk", volume.free, beside + more)]
    for disk, free, needed in needs:
        if 0 <= free < needed:
            mib = 1024 * _KIB
            text = f"needs {needed / mib:.0f} MiB of {disk}, which has {free / mib:.0f} MiB free"
            hint = "make room: docker system df shows what takes it"
            raise StackError(f"volume {volume.name}", text, hint=hint)


def create(project: Project, name: str, of: str) -> None:
    """Make a volume for an upgrade; Compose does not take it for one of its own."""
    words = ("docker", "volume", "create", "--label", f"{LABEL}={of}", name)
    done = project.runner.capture(Command(words))
    if done.code != 0:
        raise _failed(project, f"volume {name}", done)


def found(project: Project, of: str) -> tuple[str, ...]:
    """Return the names of the volumes of earlier upgrades, newest first."""
    words = ("docker", "volume", "ls", "--quiet", "--filter", f"label={LABEL}={of}")
    done = project.runner.capture(Command(words, effect="read"))
    if done.code != 0:
        raise _failed(project, f"volume {of}", done)
    return tuple(sorted(done.stdout.split(), reverse=True))


def users(project: Project, name: str) -> tuple[str, ...]:
    """Return the names of the containers that run on a volume."""
    words = ("docker", "ps", "--filter", f"volume={name}", "--format", "{{.Names}}")
    return tuple(project.runner.capture(Command(words, effect="read")).stdout.split())


def change(
    project: Project, image: str, mounts: tuple[str, ...], text: str, *words: str, name: str
) -> None:
    """Run a script that changes a volume, to its end or not at all.

    Args:
        project: the project.
        image: whose shell does it.
        mounts: volumes and where the script finds them.
        text: the script.
        words: its arguments.
        name: of its container, always the same one for a service: no two work at a time.

    Raises:
        StackError: it failed.
    """
    container = Command(("docker", "rm", "--force", "--volumes", name))
    try:
        done = project.runner.capture(script(image, mounts, text, *words, name=name))
    except BaseException:
        project.runner.capture(container)  # it goes on when its client is gone
        raise
    if done.code != 0:
        raise _failed(project, f"volume {mounts[-1].partition(':')[0]}", done)


def remove(project: Project, *names: str) -> None:
    """Remove volumes; those that are gone already are no error.

    Raises:
        StackError: one of them is in use.
    """
    if names:
        done = project.runner.capture(Command(("docker", "volume", "rm", "--force", *names)))
        done.require("docker volume rm", f"could not remove {', '.join(names)}")


def _failed(project: Project, where: str, done: Completed) -> StackError:
    words = project.secrets.hide(done.stderr.strip() or done.stdout.strip())
    text = f"{' '.join(done.command.argv[:2])} ended with code {done.code}"
    return StackError(where, text, detail=tuple(words.splitlines()[-8:]))

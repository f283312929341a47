"""`image.prune`: this project's dangling images and build cache, and nothing else.

`docker system prune -a`, which many guides show, takes every stopped container and every unused
image of every project on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoke_stack import events
from invoke_stack.compose.tolerant import number
from invoke_stack.engines import docker
from invoke_stack.engines.docker import Docker
from invoke_stack.environment import declared as loading
from invoke_stack.errors import StackError
from invoke_stack.images import record
from invoke_stack.process import Command
from invoke_stack.project import Project

_EXEC = re.compile(r"mount \S+ from exec (?:/bin/sh -c )?(?P<text>.*)", re.DOTALL)
_STEP = re.compile(r"\[[^\]]*\] (?P<text>.*)", re.DOTALL)
_GONE = "No such image"
_REASONS = {
    "is being used by": "a container uses it by now",
    "is using its referenced image": "a container uses it by now",
    "dependent child": "another image is made from it",
}
"""What engines say of an image that they do not remove, and what that means."""
_SLACK_S = 2.0
"""The engine's clock and ours may differ by this much, in seconds."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something to remove, and what it weighs."""

    id: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Used:
    """An image without a name that stays, and the containers that were made of it."""

    id: str
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What pruning removes: images without a name, and records of the build cache.

    Attributes:
        used: images that would be removed, did no container use them.
    """

    project: str
    images: tuple[Leftover, ...]
    cache: tuple[Leftover, ...]
    used: tuple[Used, ...] = ()

    @property
    def bytes(self) -> int:
        """What all of it weighs; layers that two images share are counted twice."""
        return sum(each.bytes for each in (*self.images, *self.cache))


def find(project: Project) -> Leftovers:
    """Return what is left over of this project's builds.

    The build cache has no owner: a record is ours when it was made while one of the remembered
    builds ran, by a step of it, and no image uses it.

    Raises:
        UsageError: the stack cannot be read.
        UnreachableError: no engine answers.
    """
    name = loading.load(project).name
    with docker.connect(project) as engine:
        return leftovers(project, name, engine)


def leftovers(project: Project, name: str, engine: Docker) -> Leftovers:
    """Return what an engine keeps of the builds of a Compose project and nobody uses."""
    unnamed = engine.dangling(name)
    users = engine.users() if unnamed else {}
    known = {str(each["Id"]): number(each.get("Size")) or 0 for each in unnamed}
    return Leftovers(
        name,
        tuple(Leftover(id, size) for id, size in known.items() if id not in users),  # noqa: A001
        tuple(cached(project, engine)),
        tuple(Used(id, users[id]) for id in known if id in users),  # noqa: A001
    )


def cached(project: Project, engine: Docker) -> Iterator[Leftover]:
    """Yield the records of the build cache that are ours alone, in an order to remove them in."""
    builds = record.builds(project)
    records = engine.build_cache() if builds else ()
    # Children first: a record that another one is made from is kept.
    for each in sorted(records, key=lambda one: str(one.get("CreatedAt")), reverse=True):
        if each.get("InUse") or each.get("Shared"):
            continue
        made, mark = _created(each), record.fingerprint(described(str(each.get("Description"))))
        if any(a - _SLACK_S <= made <= b + _SLACK_S and mark in marks for a, b, marks in builds):
            yield Leftover(str(each["ID"]), number(each.get("Size")) or 0)


def described(description: str) -> str:
    """Return the instruction that a record of the build cache tells of."""
    if found := _EXEC.fullmatch(description):
        return f"RUN {found['text']}"
    found = _STEP.fullmatch(description)
    return found["text"] if found else description


def _created(each: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(each.get("CreatedAt"))).timestamp()
    except ValueError:
        return 0.0


def remove(project: Project, found: Leftovers, report: events.Report = events.silent) -> int:
    """Remove what was found; return the bytes of what is gone.

    An image that a container uses by now stays, and so does cache that a build uses now.

    Raises:
        StackError: the builder does not remove its cache.
    """
    freed = 0
    for each in found.images:
        done = project.runner.capture(remove_image(each.id))
        if not done.code:
            freed += each.bytes
        elif _GONE not in done.stderr:
            report(events.Note(f"kept {short(each.id)}: {_reason(each.id, done.stderr)}"))
    for each in found.cache:
        if project.runner.capture(remove_record(each.id)).code:
            hint = "whether the builder answers: docker buildx ls"
            raise StackError("docker buildx prune", "could not remove the build cache", hint=hint)
        freed += each.bytes
    return freed


def remove_image(id: str) -> Command:  # noqa: A002 - what it is
    """Return the call that removes one image, unless something uses it."""
    return Command(("docker", "image", "rm", id))


def remove_record(id: str) -> Command:  # noqa: A002 - what it is
    """Return the call that removes one record of the build cache."""
    return Command(("docker", "buildx", "prune", "--force", "--filter", f"id={id}"))


def short(id: str) -> str:  # noqa: A002 - what it is
    """Return an image's id as `docker image ls` shows it."""
    return id.removeprefix("sha256:")[:12]


def _reason(id: str, said: str) -> str:  # noqa: A002 - what it is
    """Return why an image stays, in words that do not change with the engine."""
    known = (why for words, why in _REASONS.items() if words in said)
    return next(known, f"the engine does not remove it; why: docker image rm {short(id)}")

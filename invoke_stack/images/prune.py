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
from invoke_stack.images import record
from invoke_stack.process import Command
from invoke_stack.project import Project

_EXEC = re.compile(r"mount \S+ from exec (?:/bin/sh -c )?(?P<text>.*)", re.DOTALL)
_STEP = re.compile(r"\[[^\]]*\] (?P<text>.*)", re.DOTALL)
_SLACK_S = 2.0
"""The engine's clock and ours may differ by this much, in seconds."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something to remove, and what it weighs."""

    id: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What pruning removes: images without a name, and records of the build cache."""

    project: str
    images: tuple[Leftover, ...]
    cache: tuple[Leftover, ...]

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
        images = tuple(
            Leftover(str(each["Id"]), number(each.get("Size")) or 0)
            for each in engine.dangling(name)
        )
        return Leftovers(name, images, tuple(cached(project, engine)))


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

    An image that a container still uses stays, and so does cache that a build uses now.
    """
    freed = 0
    for each in found.images:
        done = project.runner.capture(remove_image(each.id))
        if done.code:
            report(events.Note(f"kept {each.id[7:19]}: {_last(done.stderr)}"))
        else:
            freed += each.bytes
    for each in found.cache:
        done = project.runner.capture(remove_record(each.id))
        done.require("docker buildx prune", "could not remove the build cache")
        freed += each.bytes
    return freed


def remove_image(id: str) -> Command:  # noqa: A002 - what it is
    """Return the call that removes one image, unless something uses it."""
    return Command(("docker", "image", "rm", id))


def remove_record(id: str) -> Command:  # noqa: A002 - what it is
    """Return the call that removes one record of the build cache."""
    return Command(("docker", "buildx", "prune", "--force", "--filter", f"id={id}"))


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "docker gave no reason"

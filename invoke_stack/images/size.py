"""`image.size`: what a stored image weighs, layer by layer, and against another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invoke_stack import events
from invoke_stack.engines import docker
from invoke_stack.environment import declared as loading
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Report
from invoke_stack.images import budget, layers, record, rules, targets
from invoke_stack.images.layers import Image
from invoke_stack.images.record import Change
from invoke_stack.project import Project
from invoke_stack.stack import images as stored


@dataclass(frozen=True, slots=True)
class Sized:
    """A stored image, and what it weighs more than the one it is compared with.

    Attributes:
        delta: bytes more than the other image; None without one.
        compared: the other image; "" without one.
    """

    image: Image
    delta: int | None = None
    changes: tuple[Change, ...] = ()
    compared: str = ""


def sizes(
    project: Project,
    services: Sequence[str],
    compare: str = "",
    report: events.Report = events.silent,
) -> tuple[tuple[Sized, ...], Report]:
    """Return the stored images of the mode's services, and what is over its budget.

    Args:
        project: whose mode decides which images.
        services: only these; all that are built by default.
        compare: another tag of the one chosen image, or a whole image reference.
        report: told of images that another mode built.

    Raises:
        UsageError: an unknown service, an image that was never built, a broken budget.
        UnreachableError: no engine answers.
    """
    declared = loading.load(project)
    wanted = targets.find(project, declared, services)
    if compare and len(wanted) > 1:
        names = ", ".join(each.name for each in wanted)
        raise UsageError("--compare", "one image at a time", hint=f"-s, one of: {names}")
    found, over = [], []
    with docker.connect(project) as engine:
        for each in wanted:
            image = layers.read(engine, each)
            stored.warn_elsewhere(project, declared, each.service, image.id, report)
            found.append(_sized(image, compare and layers.read(engine, each, _tag(image, compare))))
            over.append(budget.check(project, image, each.source))
    budgets = Report(tuple(each for each in over if each), rules=rules.rules("IMG201"))
    return tuple(found), budgets


def _sized(image: Image, other: Image | str) -> Sized:
    if not isinstance(other, Image):
        return Sized(image)
    difference = record.changes(other, image)
    return Sized(image, image.bytes - other.bytes, difference, other.tag)


def _tag(image: Image, text: str) -> str:
    """Return a whole reference: `v1` is that tag of the same image."""
    if any(mark in text for mark in ":/@"):
        return text
    name, _, tag = image.tag.rpartition(":")
    plain = name if name and "/" not in tag else image.tag
    return f"{plain}:{text}"

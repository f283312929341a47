"""Rules about the Dockerfile behind the image: its bases, and the stage that is built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.findings.model import Finding
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.rules import finding

_DEVELOPMENT = re.compile(r"dev|develop|development|debug|test|tests|ci|lint")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the Dockerfile."""
    dockerfile = subject.target.source.dockerfile
    stage = subject.target.source.stage(subject.target.stage)
    if dockerfile is None or stage is None:
        return
    yield from _floating(subject, dockerfile)
    if subject.production:
        yield from _target(subject, dockerfile, stage)


def _floating(subject: Subject, dockerfile: Dockerfile) -> Iterator[Finding]:
    told: set[str] = set()
    for stage in dockerfile.stages:
        if stage.parent is not None or not stage.known or stage.image in told:
            continue
        told.add(stage.image)
        if floats(stage.image):
            yield finding(
                "IMG108",
                subject.name,
                f"FROM {stage.image} names no version",
                f"FROM {_pinned(stage.image)}",
                subject.target.source.place(stage.line),
            )


def floats(image: str) -> bool:
    """Tell whether an image reference names no version at all: no tag, or one without a number."""
    if image == "scratch" or "@sha256:" in image:
        return False
    _, _, tag = image.rpartition("/")[2].partition(":")
    return not re.search(r"\d", tag)


def _pinned(image: str) -> str:
    name = image.rpartition("/")[0]
    last, _, tag = image.rpartition("/")[2].partition(":")
    plain = f"{name}/{last}" if name else last
    flavour = f"-{tag}" if tag and tag not in {"latest", "lts", "current", "stable"} else ""
    version = "22" if last == "node" else "VERSION"
    return f"{plain}:{version}{flavour}"


def _target(subject: Subject, dockerfile: Dockerfile, stage: Stage) -> Iterator[Finding]:
    last = dockerfile.stages[-1]
    users = [each for each in dockerfile.stages if _uses(each, stage)]
    if users:
        reason = f"the stage {_called(stage)}, which {_called(users[-1])} is made from"
    elif _DEVELOPMENT.fullmatch(stage.name):
        reason = f"the stage {_called(stage)}"
    else:
        return
    better = [each for each in dockerfile.stages if not _DEVELOPMENT.fullmatch(each.name)]
    target = _called((better or [last])[-1])
    yield finding(
        "IMG105",
        subject.name,
        f"builds {reason}",
        f"{subject.compose}: services: {{{subject.name}: {{build: {{target: {target}}}}}}}",
        subject.target.source.place(stage.line),
    )


def _called(stage: Stage) -> str:
    return stage.name or str(stage.index)


def _uses(other: Stage, stage: Stage) -> bool:
    names = {stage.name, str(stage.index)} - {""}
    if other.index <= stage.index:
        return False
    copied = (each.flag("from").lower() for each in other.named("COPY", "ADD"))
    mounted = (flag for each in other.named("RUN") for flag in each.flags if "from=" in flag)
    return (
        other.parent == stage.index
        or any(name in names for name in copied)
        or any(f"from={name}" in flag.split(",") for flag in mounted for name in names)
    )

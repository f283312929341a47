"""A build that failed: which step, where it stands, and what it printed last."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_stack.errors import StackError
from invoke_stack.images.buildlog import Step
from invoke_stack.images.targets import Target
from invoke_stack.images.watch import Watch
from invoke_stack.stack import images as stored

SHOWN = 12
"""Lines of a failing step's output that its error shows."""


def error(wanted: Sequence[Target], watch: Watch) -> StackError:
    """Return the error of a failed build: the step, its line, and what it printed last."""
    step = watch.log.failed
    if step is None:
        return stored.build_error([each.name for each in wanted], watch.tail)
    target = next((each for each in wanted if each.name == step.service), wanted[0])
    line = target.source.line(step)
    place = str(target.source.place(line)) if line else ""
    name = f"{target.name}: " if place else ""
    remedy = "correct the step"
    if not step.instruction:  # the builder's own: fetching a base image, sending the context
        remedy = "check the image's name, the platform and the network"
    said = [text for text in step.output if text.strip()][-SHOWN:]
    return StackError(
        place or target.name,
        f"{name}{' '.join(step.title.split())} failed: {_reason(step)}",
        hint=f"{remedy}, then run the task again; all output: {watch.path}",
        detail=tuple(said),
    )


def _reason(step: Step) -> str:
    """Return why a step failed, without repeating its command."""
    _, found, code = step.error.rpartition("did not complete successfully: ")
    return code if found else step.error or "no reason given"

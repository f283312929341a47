"""What the state folder remembers of earlier builds: size, layers and steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from invoke_stack import files
from invoke_stack.compose.tolerant import mapping, number
from invoke_stack.images.layers import Image, Layer
from invoke_stack.project import Project

NAME = "images.json"
WINDOWS = 20
"""Builds whose steps are remembered, for telling this project's build cache from others'."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one instruction weighs more or less than in the build before."""

    bytes: int
    created_by: str
    file: str = ""
    line: int = 0


def previous(project: Project, service: str, mode: str) -> Image | None:
    """Return the image that the last build of a service in a mode made."""
    document = mapping(mapping(_read(project).get("images")).get(f"{service} {mode}"))
    if not document:
        return None
    found = [mapping(each) for each in document.get("layers") or ()]
    return Image(
        service,
        str(document.get("tag")),
        str(document.get("id")),
        number(document.get("bytes")) or 0,
        tuple(
            Layer(
                number(each.get("bytes")) or 0,
                str(each.get("created_by")),
                str(each.get("file") or ""),
                number(each.get("line")) or 0,
            )
            for each in found
        ),
    )


def remember(
    project: Project,
    mode: str,
    images: Sequence[Image],
    steps: Iterable[str],
    span: Sequence[float],
) -> None:
    """Write down what was built.

    Args:
        project: whose state folder.
        mode: the mode of the build.
        images: what it made.
        steps: the instructions that were run, as the build cache describes them.
        span: when the build began and ended, in epoch seconds.
    """
    document = _read(project)
    known = dict(mapping(document.get("images")))
    for each in images:
        known[f"{each.service} {mode}"] = _hidden(project, asdict(each))
    windows = [mapping(each) for each in document.get("builds") or ()]
    hashes = sorted({fingerprint(each) for each in steps})
    if hashes:
        windows.append({"began": span[0], "ended": span[1], "steps": hashes})
    text = json.dumps({"images": known, "builds": windows[-WINDOWS:]}, indent=1)
    files.write(project.state / NAME, f"{text}\n")


def builds(project: Project) -> tuple[tuple[float, float, frozenset[str]], ...]:
    """Return begin, end and step fingerprints of the remembered builds."""
    found = [mapping(each) for each in _read(project).get("builds") or ()]
    return tuple(
        (
            float(each.get("began") or 0),
            float(each.get("ended") or 0),
            frozenset(str(one) for one in each.get("steps") or ()),
        )
        for each in found
    )


def fingerprint(step: str) -> str:
    """Return what identifies a step; build arguments in it may be secret, so only a hash."""
    return hashlib.sha256(" ".join(step.split()).encode()).hexdigest()[:20]


def changes(before: Image, after: Image) -> tuple[Change, ...]:
    """Return what makes the difference between two images, the biggest first."""
    old, new = _weights(before), _weights(after)
    places = {each.created_by: each for each in (*before.layers, *after.layers)}
    found = []
    for text in {*old, *new}:
        more = new.get(text, 0) - old.get(text, 0)
        if more:
            found.append(Change(more, text, places[text].file, places[text].line))
    return tuple(sorted(found, key=lambda each: (-abs(each.bytes), each.created_by)))


def _weights(image: Image) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in image.layers:
        found[each.created_by] = found.get(each.created_by, 0) + each.bytes
    return found


def _hidden(project: Project, tree: Any) -> Any:
    if isinstance(tree, str):
        return project.secrets.hide(tree)
    if isinstance(tree, Mapping):
        return {key: _hidden(project, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_hidden(project, each) for each in tree]
    return tree


def _read(project: Project) -> dict[str, Any]:
    return files.read_json(project.root / ".invoke-stack" / NAME)

"""What several env files mean together: to us, to Next.js, and to Compose with all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_stack.environment.dotenv import Assignment
from invoke_stack.environment.expansion import Expansion, definitions
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.lint import next_env, readers
from invoke_stack.environment.lint.check import Checked
from invoke_stack.environment.lint.model import Issue, nameable
from invoke_stack.environment.values import Place
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from invoke_stack.modes import Mode

# Next.js knows no other modes, and in these it reads the same files in the same order.
_NEXT_MODES = ("dev", "test", "prod")

Found = tuple[str, Issue]
"""A file and what is to be said about a line of it."""


@dataclass(frozen=True, slots=True)
class Layered:
    """The layers of one folder, as far as they can be read.

    Attributes:
        files: name and content, lowest rank first.
        values: what we make of each key.
        places: the line that wins, for each key.
        problems: keys that have no value: circles, missing required variables.
    """

    files: tuple[tuple[str, Checked], ...]
    values: Mapping[str, str | None]
    in_layers: Mapping[str, str | None]
    places: Mapping[str, Place]
    problems: tuple[Found, ...]


def layered(files: Sequence[tuple[str, Checked]], fixed: Mapping[str, str]) -> Layered:
    """Merge files, lowest rank first, below values that outrank them all."""
    found = definitions([_layer(name, checked) for name, checked in files])
    expansion = Expansion(found, fixed)
    values: dict[str, str | None] = {}
    own: dict[str, str | None] = {}
    problems: list[Found] = []
    places = {key: Place("file", *ranks[-1][1:]) for key, ranks in found.items()}
    for key, place in places.items():
        try:
            values[key] = expansion.value(key)
            own[key] = expansion.in_layers(key)
        except UsageError as error:
            problems.append(_problem(error, key, place))
    return Layered(tuple(files), values, own, places, tuple(problems))


def issues(family: Layered, mode: Mode, environ: Mapping[str, str]) -> Iterator[Found]:
    """Yield what the files of one folder only mean together."""
    said = {
        (name, issue.line, issue.code) for name, checked in family.files for issue in checked.issues
    }
    for name, issue in family.problems:
        if (name, issue.line, issue.code) not in said:
            yield name, issue
    if len(family.files) > 1:
        yield from _as_compose(family, environ)
        if mode.name in _NEXT_MODES:
            yield from _as_next(family, environ, said)


def shadowed(family: Layered, environ: Mapping[str, str], mode: Mode) -> Iterator[Found]:
    """Yield the lines that the process environment, or the mode, overrules."""
    for key, text in family.in_layers.items():
        place = family.places[key]
        if key == "NODE_ENV" and mode.node:
            if text != mode.node:
                message = f"the mode sets it to {mode.node}, and Next.js sets it itself"
                yield _at(place, Issue("ENV-SHADOW", "warning", 0, key, message, "remove the line"))
        elif key in environ and environ[key] != text:
            message = "the process environment sets another value, which wins"
            fix = f"unset {nameable(key) or 'it'} in the shell, or remove the line"
            yield _at(place, Issue("ENV-SHADOW", "warning", 0, nameable(key), message, fix))


def _at(place: Place, issue: Issue) -> Found:
    line = place.line or 0
    at = Issue(issue.code, issue.severity, line, issue.key, issue.message, issue.fix)
    return place.file or "", at


def _layer(name: str, checked: Checked) -> Layer:
    taken = [each for each in checked.statements if each.reading and not each.refused]
    assignments = [
        Assignment(each.reading.key, each.template, each.line, each.reading.quote)
        for each in taken
        if each.reading
    ]
    return Layer(name, Path(name), tuple(assignments))


def _problem(error: UsageError, key: str, place: Place) -> Found:
    file, _, line = error.where.rpartition(":")
    known = file and line.isdecimal()
    where = (file, int(line)) if known else (place.file or "", place.line or 0)
    return where[0], Issue("ENV-REF", "error", where[1], nameable(key), error.message, error.hint)


def _as_compose(family: Layered, environ: Mapping[str, str]) -> Iterator[Found]:
    files = [checked.statements for _, checked in family.files]
    each_way = [readers.eager(files, environ, older=older) for older in (False, True)]
    for key, text in family.values.items():
        if any(environ.get(key, way.get(key)) != text for way in each_way):
            message = (
                "Compose, given these files itself, reads another value: "
                "it expands line by line, before it knows what higher layers say"
            )
            fix = "start Compose through inv stack.*, which hands it the final values"
            issue = Issue("ENV-LAYER", "warning", 0, nameable(key), message, fix)
            yield _at(family.places[key], issue)


def _as_next(
    family: Layered, environ: Mapping[str, str], said: set[tuple[str, int, str]]
) -> Iterator[Found]:
    texts = [checked.text for _, checked in reversed(family.files)]
    node = next_env.read(texts, environ)
    if node.lost:  # said where it happens, for one file or for a circle
        return
    for key, text in family.values.items():
        place = family.places[key]
        told = (place.file, place.line, "ENV-NEXT") in said
        if node.values.get(key, environ.get(key)) != text and not told:
            message = (
                "Next.js, reading these files itself, gets another value: "
                "it expands each file on its own, the highest first"
            )
            fix = "keep a reference and its target in one file, the target first"
            yield _at(place, Issue("ENV-LAYER", "warning", 0, nameable(key), message, fix))

"""Marks in the comments of a template: `# @required @type=enum(a,b) @generate=hex(32)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from invoke_stack.environment.dotenv import statements

if TYPE_CHECKING:
    from dotenv.parser import Binding

_MARK = re.compile(
    r"@(?P<name>[A-Za-z][\w-]*)"
    r"(?:=(?P<argument>\"[^\"]*\"|'[^']*'|[^\s()]*(?:\([^)]*\))?))?(?=\s|$)"
)
_NONE: Mapping[str, str] = MappingProxyType({})
_ASIDE = re.compile(r"#+\s*(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)=")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark and the line it stands on; without `=` its argument is ""."""

    name: str
    argument: str
    line: int


def marks(text: str) -> dict[str, Mapping[str, str]]:
    """Return the marks of every key in an env file's text.

    Every key is in the result, those without marks too. Marks stand in comment lines directly
    above the key; a blank line, another key or one that is commented out ends their reach. A
    mark without `=` has "" as its argument.
    """
    return named(placed(text))


def named(found: Iterable[tuple[str, tuple[Mark, ...]]]) -> dict[str, Mapping[str, str]]:
    """Return marks by the name of their key, without their lines."""
    # Most keys have none: they share one mapping.
    return {key: {each.name: each.argument for each in own} if own else _NONE for key, own in found}


def placed(text: str) -> tuple[tuple[str, tuple[Mark, ...]], ...]:
    """Return the keys of an env file's text in their order, each with its marks."""
    found: dict[str, tuple[Mark, ...]] = {}
    for _ in noting(statements(text.removeprefix("\ufeff")), found):
        continue
    return tuple(found.items())


def noting(
    parsed: Iterable[tuple[Binding, int]], found: dict[str, tuple[Mark, ...]]
) -> Iterator[tuple[Binding, int]]:
    """Pass statements on one by one, and note each key with its marks in ``found``."""
    waiting: tuple[Mark, ...] = ()
    for binding, line in parsed:
        written = binding.original.string
        # A statement starts where the last one's line ended: a line end before its own text
        # is a blank line.
        if "\n" in written[: len(written) - len(written.lstrip())]:
            waiting = ()
        if binding.key is not None:
            found[binding.key] = (*found.get(binding.key, ()), *waiting)
            waiting = ()
        elif aside(written.strip()):
            waiting = ()
        elif written.lstrip().startswith("#"):
            waiting = (*waiting, *_in_comment(written.strip(), line))
        yield binding, line


def aside(comment: str) -> str:
    """Return the key that a comment holds an assignment of (`# KEY=…`), or ""."""
    found = _ASIDE.match(comment)
    return found["key"] if found else ""


def _in_comment(comment: str, line: int) -> tuple[Mark, ...]:
    text = comment.lstrip("#").strip()
    found = []
    # From the start only: "# ask @ops" is prose.
    while match := _MARK.match(text):
        argument = match["argument"] or ""
        quoted = argument[:1] in {'"', "'"}
        found.append(Mark(match["name"], argument[1:-1] if quoted else argument, line))
        text = text[match.end() :].lstrip()
    return tuple(found)

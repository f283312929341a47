"""The variables that compose files name, with the line that names them.

Compose interpolates every value, but no key, and leaves its own tags (`!reset`, `!override`)
aside. So do we: the file is read as a stream of YAML events and never turned into objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invoke_stack import rights
from invoke_stack.compose.interpolation import Lookup, Reference, Template, parse
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

DEEPEST = 100
"""Levels of lists and mappings; a compose file has some ten."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One use of a variable in a compose file.

    Attributes:
        name: the variable.
        operator: "" or one of `:-`, `-`, `:+`, `+`, `:?`, `?`.
        default: the text behind `:-` or `-` as written, else None.
        message: the text behind `:?` or `?` as written, else None.
        file: the compose file as shown to the user.
        line: the line its value starts on.
        within: the references whose word this use stands in, outermost first.
    """

    name: str
    operator: str
    default: str | None
    message: str | None
    file: str
    line: int
    within: tuple[Reference, ...] = ()

    @property
    def where(self) -> str:
        """The place as `file:line`."""
        return f"{self.file}:{self.line}"

    def is_reached(self, lookup: Lookup) -> bool:
        """Tell whether Compose gets as far as this use with these values."""
        return all(outer.uses_word(lookup(outer.name)) for outer in self.within)


def scan(path: Path, shown: str) -> tuple[Variable, ...]:
    """Return every use of a variable in a compose file, in the order of the file.

    Raises:
        UsageError: the file cannot be read, is broken YAML, or has a reference that Compose
            does not accept.
    """
    found: list[Variable] = []
    for value, line in _scalars(read_text(path, shown), shown):
        if "$" in value:
            template = parse(value, f"{shown}:{line}")
            found.extend(uses(template, shown, line))
    return tuple(found)


def missing(variables: Iterable[Variable], lookup: Lookup) -> tuple[Variable, ...]:
    """Return the required variables that have no value, each name once.

    `${X:?m}` also rejects the empty string, `${X?m}` accepts it.
    """
    lacking: dict[str, Variable] = {}
    for variable in variables:
        needed = Reference(variable.name, variable.operator)
        if (
            variable.operator.endswith("?")
            and needed.uses_word(lookup(variable.name))
            and variable.is_reached(lookup)
        ):
            lacking.setdefault(variable.name, variable)
    return tuple(lacking.values())


def undefined(variables: Iterable[Variable], lookup: Lookup) -> tuple[Variable, ...]:
    """Return uses without default of variables nobody sets, each name once.

    Compose warns about them and puts in the empty string.
    """
    unset: dict[str, Variable] = {}
    for variable in variables:
        if not variable.operator and lookup(variable.name) is None and variable.is_reached(lookup):
            unset.setdefault(variable.name, variable)
    return tuple(unset.values())


def uses(
    template: Template, file: str, line: int, within: tuple[Reference, ...] = ()
) -> Iterator[Variable]:
    """Yield every use of a variable in a parsed text, also those inside the words of others."""
    for part in template:
        if isinstance(part, str):
            continue
        default = part.raw if part.operator.endswith("-") else None
        message = part.raw if part.operator.endswith("?") else None
        yield Variable(part.name, part.operator, default, message, file, line, within)
        yield from uses(part.word, file, line, (*within, part))


def read_text(path: Path, shown: str) -> str:
    """Return a compose file's text.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{shown}:{line}", "not UTF-8", hint="save it as UTF-8") from None
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
        raise UsageError(shown, reason, hint=rights.way_out(path, error)) from None


def _broken(where: str, message: str) -> UsageError:
    return UsageError(where, message, hint="`docker compose config -q` shows the same problem")


def _scalars(text: str, shown: str) -> Iterator[tuple[str, int]]:
    """Yield the scalars in value position with their lines, in file order."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Events, not nodes: composing recurses in C, and a deep nest overflows its stack.
        yield from _walked(yaml.parse(text, loader), shown)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # Not `str(error)`: it quotes the line, which may hold a secret.
        raise _broken(f"{shown}:{line}", "broken YAML") from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text[:position].count("\n") + 1
        raise _broken(f"{shown}:{line}", "a character that YAML does not allow") from None


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended yet; what stands in a key is passed over."""

    mapping: bool
    passed: bool
    at_key: bool


def _walked(events: Iterable[Any], shown: str) -> Iterator[tuple[str, int]]:
    import yaml

    above: list[_Open] = []
    anchors: set[str] = set()
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            above.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = event.start_mark.line + 1 if event.start_mark else 1
        within = above[-1] if above else _Open(mapping=False, passed=False, at_key=False)
        passed = within.passed or within.at_key
        within.at_key = within.mapping and not within.at_key
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise _broken(f"{shown}:{line}", "broken YAML")
            continue
        anchors |= {event.anchor} if event.anchor else set()
        if isinstance(event, yaml.ScalarEvent):
            if not passed:
                yield event.value, line
            continue
        if len(above) >= DEEPEST:
            raise UsageError(f"{shown}:{line}", "YAML nested too deeply", hint="write it flatter")
        mapping = isinstance(event, yaml.MappingStartEvent)
        above.append(_Open(mapping=mapping, passed=passed, at_key=mapping))

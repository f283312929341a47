"""Compose's `$NAME` and `${NAME...}` references: parsed once, expanded as often as needed.

The grammar is that of Compose itself, and strict: what Compose refuses is refused here, with
the place, and never with the text around it, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from invoke_stack.errors import UsageError

Lookup: TypeAlias = Callable[[str], str | None]

# Compose matches names without regard to case, and Unicode folds these two letters to "s" and
# "k": it reads them as part of a name. They are matched here only to be refused.
_FOLDED = "\u017f\u212a"
_NAME = rf"[A-Za-z_{_FOLDED}][A-Za-z0-9_{_FOLDED}]*"
_START = re.compile(rf"\$(?:(?P<dollar>\$)|(?P<name>{_NAME})|(?P<brace>\{{))")
_BRACED = re.compile(rf"\$\{{(?P<name>{_NAME})(?:(?P<operator>:?[-+?])|\}})")

# Deeper nesting than anybody writes; keeps hostile input away from the recursion limit.
_DEEPEST = 20
_LONGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference to a variable.

    Attributes:
        name: the variable.
        operator: "" or one of `:-`, `-`, `:+`, `+`, `:?`, `?`.
        word: what stands behind the operator: a default, a replacement or a message.
        raw: the word as it is written.
        where: file:line, for the message of a required variable.
    """

    name: str
    operator: str = ""
    word: tuple[str | Reference, ...] = ()
    raw: str = field(default="", compare=False)
    where: str = field(default="", compare=False)

    def uses_word(self, value: str | None) -> bool:
        """Tell whether the word stands in when the variable has this value."""
        empty_counts_as_unset = self.operator.startswith(":")
        present = value is not None and not (empty_counts_as_unset and value == "")
        return present if self.operator.endswith("+") else not present


Template: TypeAlias = tuple[str | Reference, ...]


def parse(text: str, where: str) -> Template:
    """Split text into literal parts and references.

    Raises:
        UsageError: Compose does not accept a reference in the text.
    """
    return _parse(text, where, 0)


def references(template: Template) -> Iterator[Reference]:
    """Yield every reference, also those inside the words of others."""
    for part in template:
        if isinstance(part, Reference):
            yield part
            yield from references(part.word)


def names(template: Template) -> tuple[str, ...]:
    """Return the names a template refers to, nested ones too, each once, in order."""
    return tuple(dict.fromkeys(reference.name for reference in references(template)))


class TooLongError(UsageError):
    """References make a value longer than anybody means."""


def expand(template: Template, lookup: Lookup, *, longest: int = _LONGEST) -> str:
    """Replace the references by their values; the result is never scanned again.

    A word is looked at only where it is used, as Compose does since 2.27; older versions
    also refuse a missing `:?` variable inside an unused word. The values are the same.

    Raises:
        UsageError: a variable marked as required (`:?`, `?`) is missing.
        TooLongError: references make it longer than that many characters.
    """
    parts, length = [], 0
    for part in template:
        parts.append(part if isinstance(part, str) else _value(part, lookup, longest))
        length += len(parts[-1])
        # Asked on the way: values that double each other would fill the memory first.
        if length > longest:
            raise TooLongError("references", f"they make a value longer than {longest} characters")
    return "".join(parts)


def _value(reference: Reference, lookup: Lookup, longest: int) -> str:
    value = lookup(reference.name)
    if not reference.operator or not reference.uses_word(value):
        return "" if reference.operator.endswith("+") else value or ""
    if reference.operator.endswith("?"):
        # The message as written: expanded, it could carry a value.
        message = f": {reference.raw}" if reference.raw else ""
        raise UsageError(
            reference.where or reference.name,
            f"{reference.name} is required but not set{message}",
            hint=f"set {reference.name} in an env file or in the environment",
        )
    return expand(reference.word, lookup, longest=longest)


def _parse(text: str, where: str, depth: int) -> Template:
    if depth > _DEEPEST:
        raise UsageError(where, f"references are nested more than {_DEEPEST} deep")
    parts: list[str | Reference] = []
    position = 0
    while found := _START.search(text, position):
        _add(parts, text[position : found.start()])
        position = found.end()
        if found["dollar"]:
            _add(parts, "$")
        elif found["brace"]:
            reference, position = _braced(text, found.start(), where, depth)
            parts.append(reference)
        else:
            parts.append(Reference(_checked(found["name"], where), where=where))
    _add(parts, text[position:])
    return tuple(parts)


def _add(parts: list[str | Reference], literal: str) -> None:
    if parts and isinstance(parts[-1], str):
        parts[-1] += literal
    elif literal:
        parts.append(literal)


def _braced(text: str, start: int, where: str, depth: int) -> tuple[Reference, int]:
    """Return the reference that starts at `${` and the position behind it."""
    found = _BRACED.match(text, start)
    if found is None:
        raise _unsupported(where)
    name = _checked(found["name"], where)
    if not found["operator"]:
        return Reference(name, where=where), found.end()
    line_end = text.find("\n", start)
    last = text.rfind("}", found.end(), line_end if line_end >= 0 else len(text))
    if last < 0:
        raise _unsupported(where)
    end = _closing_brace(text, start, last)
    raw = text[found.end() : end]
    return Reference(name, found["operator"], _parse(raw, where, depth + 1), raw, where), end + 1


def _closing_brace(text: str, start: int, last: int) -> int:
    """Find the closing brace where Compose finds it.

    Compose counts every brace, does not look at the character behind an opening one, and
    takes the last brace of the line when the count does not come out. That decides what
    `${A:-{}}` and `${A:-{{x}}}` mean, so it is done the same way.
    """
    depth, index = 0, start
    while index <= last:
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        elif text[index] == "{":
            depth += 1
            index += 1
        index += 1
    return last


def _checked(name: str, where: str) -> str:
    if not name.isascii():
        raise _unsupported(where)
    return name


def _unsupported(where: str) -> UsageError:
    return UsageError(
        where,
        "a `$` starts a reference that Compose does not accept",
        hint="use $NAME, ${NAME} or ${NAME:-word} (also - :+ + :? ?) on one line; "
        "a literal dollar sign is $$",
    )

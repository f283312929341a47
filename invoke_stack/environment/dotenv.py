"""Env files to assignments: Compose's grammar, strict.

A line that Compose refuses, or that python-dotenv reads in another way, is refused with its
place and the spelling that works. No message ever holds a value or the text of a bad line.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import Template
from invoke_stack.compose.interpolation import parse as parse_template
from invoke_stack.environment import dialect
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from dotenv.parser import Binding

# Linux takes no more than 128 KiB for one variable with its name.
LONGEST = 120 * 1024

# They steer the programs we start; a file that sets one would change more than the stack.
RESERVED = re.compile(
    r"PATH|HOME|LD_.*|DYLD_.*|DOCKER_HOST|DOCKER_CONFIG|DOCKER_CONTEXT|PYTHONPATH|NODE_OPTIONS"
    r"|BASH_ENV|IFS",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line of an env file.

    Attributes:
        key: the variable.
        template: its value before references are expanded; None for a key without `=`, whose
            value only the process environment can give.
        line: the line the key stands on.
        quote: `'`, `"` or "".
    """

    key: str
    template: Template | None
    line: int
    quote: str = ""


def parse(data: bytes, file: str, *, allow: Collection[str] = ()) -> tuple[Assignment, ...]:
    """Read the bytes of an env file.

    Args:
        data: the content of the file.
        file: its name in messages.
        allow: reserved keys (`PATH`, `DOCKER_HOST`, ...) that this file may set.

    Raises:
        UsageError: a line is refused.
    """
    return assignments(statements(decode(data, file)), file, allow=allow)


def assignments(
    parsed: Iterable[tuple[Binding, int]], file: str, *, allow: Collection[str] = ()
) -> tuple[Assignment, ...]:
    """Return what the statements of an env file assign.

    Raises:
        UsageError: a line is refused.
    """
    found: dict[str, Assignment] = {}
    taken = []
    for binding, line in parsed:
        where = f"{file}:{line}"
        reading = _reading(binding, where)
        if reading is None:
            continue
        assignment = _assignment(reading, where, line, allow)
        earlier = found.setdefault(assignment.key, assignment)
        if (earlier.template is None) != (assignment.template is None):
            raise UsageError(
                where,
                f"{assignment.key} stands here and in line {earlier.line}, once without `=`",
                hint="keep one of the two lines",
            )
        taken.append(assignment)
    return tuple(taken)


def decode(data: bytes, file: str) -> str:
    """Return the text of an env file, without its byte order mark.

    Raises:
        UsageError: not UTF-8, or with characters that no env file can have.
    """
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{file}:{line}", "not UTF-8", hint="save the file as UTF-8") from None
    if bad := re.search(r"\0|\r(?!\n)", text):
        line = text.count("\n", 0, bad.start()) + 1
        what = "a NUL character" if bad[0] == "\0" else "a carriage return without a line feed"
        raise UsageError(
            f"{file}:{line}", what, hint="save the file as UTF-8 text with LF line ends"
        )
    return text


def statements(text: str) -> Iterator[tuple[Binding, int]]:
    """Yield python-dotenv's statements, each with the line its own text starts on."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text, newline="")):
        original = binding.original
        skipped = len(original.string) - len(original.string.lstrip())
        yield binding, original.line + original.string.count("\n", 0, skipped)


def _reading(binding: Binding, where: str) -> dialect.Reading | None:
    """Return what Compose and python-dotenv agree on."""
    try:
        reading = dialect.read(binding.original.string)
    except dialect.UnreadableError as error:
        raise UsageError(where, error.message, hint=error.hint) from None
    key, literal = (reading.key, reading.literal) if reading else (None, None)
    if binding.error or binding.key != key or binding.value != literal:
        raise disagreement(reading, where)
    return reading


def disagreement(reading: dialect.Reading | None, where: str) -> UsageError:
    """Return the error for a statement that python-dotenv and Compose read differently."""
    if reading is None or reading.literal is None:
        return UsageError(where, "not an assignment", hint="write NAME=value")
    if reading.quote == "'":
        hint = "backslashes: write the value without quotes, or in double quotes with \\\\ for each"
    elif reading.quote:
        hint = "inside double quotes write a single quote without a backslash"
    else:
        hint = "put one space before the # of a comment, and a value or quotes before it"
    return UsageError(
        where, f"python-dotenv and Compose read two values of {reading.key}", hint=hint
    )


def _assignment(
    reading: dialect.Reading, where: str, line: int, allow: Collection[str]
) -> Assignment:
    key = reading.key
    if RESERVED.fullmatch(key) and key not in allow:
        raise UsageError(
            where,
            f"{key} may not be set in an env file",
            hint=f"rename it, set it in the shell, or allow {key} in the setting stack.env.allow",
        )
    if reading.literal is None:
        return Assignment(key, None, line)
    if len(reading.literal.encode()) > LONGEST:
        raise UsageError(
            where,
            f"the value of {key} is longer than 120 KiB",
            hint="the system cannot hand it to a program; keep it in a file and name the file",
        )
    if reading.quote == "'":
        return Assignment(key, (reading.source,) if reading.source else (), line, "'")
    return Assignment(key, parse_template(reading.source, where), line, reading.quote)

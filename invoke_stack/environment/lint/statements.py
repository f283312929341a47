"""An env file statement by statement, going on where the resolver would stop."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import Template
from invoke_stack.compose.interpolation import parse as parse_template
from invoke_stack.environment import dialect, dotenv
from invoke_stack.environment.lint.model import Issue, nameable
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from dotenv.parser import Binding

_KINDS = {"encoding": "ENV-ENCODING", "literal": "ENV-LITERAL"}
_PORTABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE = re.compile(r"[^=]*=[ \t]*(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that names a key, or that some reader refuses.

    Attributes:
        line: the line its text starts on.
        key: the key of either reader; "" where none sees one.
        written: the value as it stands in the file, with its quotes.
        reading: what Compose reads; None where it refuses the line.
        template: the value with its references; None for a key without value, and where
            Compose does not accept a reference.
        issues: what is wrong with it, whatever the rest of the file says.
    """

    line: int
    key: str
    written: str
    reading: dialect.Reading | None
    template: Template | None
    issues: tuple[Issue, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the resolver does not take the line."""
        return any(each.severity == "error" for each in self.issues)


def parse(text: str, *, allow: Collection[str] = ()) -> tuple[Statement, ...]:
    """Split a text into statements; blank ones and comments are left out."""
    found = (_statement(binding, line, allow) for binding, line in dotenv.statements(text))
    return tuple(each for each in found if each is not None)


def decode(data: bytes) -> tuple[str, tuple[Issue, ...]]:
    """Return the text of a file and what is wrong with its bytes."""
    try:
        return dotenv.decode(data, ""), ()
    except UsageError as error:
        line = int(error.where.rpartition(":")[2])
        text = data.decode(errors="replace").removeprefix("\ufeff")
        return text, (Issue("ENV-ENCODING", "error", line, "", error.message, error.hint),)


def _statement(binding: Binding, line: int, allow: Collection[str]) -> Statement | None:
    written = binding.original.string
    value = _VALUE.match(written)
    shown = value["value"].strip() if value else ""
    try:
        reading = dialect.read(written)
    except dialect.UnreadableError as error:
        issue = _unreadable(binding, line, error)
        return Statement(line, binding.key or "", shown, None, None, (issue,))
    if reading is None and binding.key is None and not binding.error:
        return None
    if reading is None or binding.error or binding.key != reading.key:
        issue = Issue("ENV-SYNTAX", "error", line, "", *_dropped(binding))
        return Statement(line, binding.key or "", shown, reading, None, (issue,))
    issues = [*_literal(binding, reading, line), *_key(reading, line, allow)]
    template, more = _template(reading, line)
    return Statement(line, reading.key, shown, reading, template, (*issues, *more))


def _dropped(binding: Binding) -> tuple[str, str]:
    what = "python-dotenv drops the line" if binding.error else "readers see different keys in it"
    return f"{what}, Compose does not", "write NAME=value"


def _unreadable(binding: Binding, line: int, error: dialect.UnreadableError) -> Issue:
    if binding.key is not None and binding.value is not None and error.kind == "syntax":
        message = "a name that Compose refuses; python-dotenv accepts it"
        fix = "use letters of a to z, digits (not first) and _"
        return Issue("ENV-KEY", "error", line, nameable(binding.key), message, fix)
    python = "python-dotenv drops the line" if binding.error else "python-dotenv takes it"
    compose = {
        "syntax": "Compose refuses the file",
        "own": "Compose reads another value or refuses the file",
        "encoding": "Compose keeps the carriage returns",
        "literal": "Compose decodes it to another value",
    }[error.kind]
    code = _KINDS.get(error.kind, "ENV-SYNTAX")
    key = nameable(binding.key) if binding.value is not None else ""
    return Issue(code, "error", line, key, f"{error.message}: {python}, {compose}", error.hint)


def _literal(binding: Binding, reading: dialect.Reading, line: int) -> Iterator[Issue]:
    if binding.value != reading.literal:
        error = dotenv.disagreement(reading, "")
        code = "ENV-SYNTAX" if None in {binding.value, reading.literal} else "ENV-LITERAL"
        message = "python-dotenv and Compose read two different values"
        yield Issue(code, "error", line, nameable(reading.key), message, error.hint)
    if reading.literal is not None and len(reading.literal.encode()) > dotenv.LONGEST:
        message = "the value is longer than 120 KiB: no process can take it"
        fix = "keep it in a file and name the file"
        yield Issue("ENV-LITERAL", "error", line, nameable(reading.key), message, fix)


def _key(reading: dialect.Reading, line: int, allow: Collection[str]) -> Iterator[Issue]:
    key = reading.key
    if dotenv.RESERVED.fullmatch(key) and key not in allow:
        message = "it steers the programs we start; an env file may not set it"
        fix = f"rename it, set it in the shell, or allow {key} in the settings (env.allow)"
        yield Issue("ENV-KEY", "error", line, key, message, fix)
    elif not _PORTABLE.fullmatch(key):
        message = "shells, and references of Compose and Next.js, cannot name this key"
        yield Issue("ENV-KEY", "warning", line, nameable(key), message, "use letters, digits and _")


def _template(reading: dialect.Reading, line: int) -> tuple[Template | None, list[Issue]]:
    if reading.literal is None:
        return None, []
    if reading.quote == "'":
        return ((reading.source,) if reading.source else ()), []
    try:
        return parse_template(reading.source, ""), []
    except UsageError as error:
        message = f"{error.message}; python-dotenv and Next.js go on with other values"
        return None, [Issue("ENV-REF", "error", line, nameable(reading.key), message, error.hint)]

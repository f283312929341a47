"""The three readers side by side: what each makes of one file beside one environment."""

from __future__ import annotations

import io
import re
from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import expand
from invoke_stack.environment.dotenv import LONGEST
from invoke_stack.environment.lint import next_env
from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from invoke_stack.environment.lint.statements import Statement

# More references than anybody writes into one value.
_MOST = 1000
# What nobody else reads, in place of a value that takes python-dotenv minutes or all memory.
_ENDLESS = "\0"


@dataclass(frozen=True, slots=True)
class Readings:
    """One file as three readers understand it; a value of the process wins in all of them.

    Attributes:
        python: the values of python-dotenv.
        compose: the values of Compose, of the lines that it accepts.
        node: the values of Next.js.
        lost: the keys at which Next.js gives the whole file up; ``node`` is what it would read
            if these were empty.
    """

    python: Mapping[str, str]
    compose: Mapping[str, str]
    node: Mapping[str, str]
    lost: tuple[str, ...] = ()

    def of(self, key: str, otherwise: str | None) -> tuple[str | None, str | None, str | None]:
        """Return what python-dotenv, Compose and Next.js give a key."""
        python, compose, node = (
            each.get(key, otherwise) for each in (self.python, self.compose, self.node)
        )
        return python, compose, node


def read(text: str, statements: Sequence[Statement], environ: Mapping[str, str]) -> Readings:
    """Return what the three make of one file."""
    node, lost = next_env.forgiving(text, environ)
    python, compose = python_dotenv(text, environ), eager([statements], environ)
    return Readings(
        _effective(python, environ),
        _effective(compose, environ),
        node,
        lost,
    )


def python_dotenv(text: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return what `dotenv_values` reads, with this environment in place of our own."""
    from dotenv.parser import parse_stream
    from dotenv.variables import parse_variables

    found: dict[str, str | None] = {}
    known = ChainMap[str, "str | None"](found, dict(environ))
    for binding in parse_stream(io.StringIO(re.sub(r"\r\n?", "\n", text))):
        if binding.key is None:
            continue
        value = binding.value
        if value is not None and value.count("${") > _MOST:
            value = _ENDLESS
        elif value is not None and "$" in value:
            value = _joined(atom.resolve(known) for atom in parse_variables(value))
        found[binding.key] = value
    return found


def _joined(parts: Iterable[str]) -> str:
    """Return parts as one text, unless no process could take it."""
    found, length = [], 0
    for part in parts:
        found.append(part)
        length += len(part)
        if length > LONGEST:
            return _ENDLESS
    return "".join(found)


def eager(
    files: Iterable[Sequence[Statement]], environ: Mapping[str, str], *, older: bool = False
) -> dict[str, str | None]:
    """Return what Compose makes of files, lowest rank first, expanding line by line.

    Up to compose-go 2.7 (``older``) a reference sees what an earlier file says of a key even
    where the same file said something else above.
    """
    merged: dict[str, str | None] = {}
    for statements in files:
        own: dict[str, str | None] = {}
        ranked = (environ, merged, own) if older else (environ, own, merged)
        for each in statements:
            if each.reading is None or each.refused:
                continue
            key = each.reading.key
            value = environ.get(key) if each.reading.literal is None else _value(each, ranked)
            if value is not None or key not in own:
                own[key] = value
        merged |= own
    return merged


def _value(statement: Statement, ranked: Sequence[Mapping[str, str | None]]) -> str | None:
    def lookup(name: str) -> str | None:
        return next((found[name] for found in ranked if found.get(name) is not None), None)

    if statement.template is None:
        return None
    try:
        return expand(statement.template, lookup, longest=LONGEST)
    except UsageError:  # a required variable is missing, or the value never ends
        return None


def _effective(values: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """Return values as a program ends up with them: the process environment wins."""
    won = {key: environ.get(key, value) for key, value in values.items()}
    return {key: value for key, value in won.items() if value is not None}

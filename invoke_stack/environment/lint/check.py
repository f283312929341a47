"""Every portability issue of one env file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from invoke_stack.environment import dotenv
from invoke_stack.environment.lint import compared, lines, statements
from invoke_stack.environment.lint.model import Issue
from invoke_stack.environment.lint.statements import Statement
from invoke_stack.errors import UsageError

_REFERENCE = re.compile(r"\$\{?([A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what is wrong with it.

    Attributes:
        text: its content, decoded as far as it goes.
        statements: its lines that name a key or are refused.
        issues: in the order of the lines.
    """

    text: str
    statements: tuple[Statement, ...]
    issues: tuple[Issue, ...]


def check(
    data: bytes,
    environ: Mapping[str, str],
    *,
    lower: Collection[str] = (),
    allow: Collection[str] = (),
    next_app: bool = False,
) -> Checked:
    """Check the bytes of an env file; a bad line hides nothing of the others.

    Args:
        data: the content of the file.
        environ: the process environment that readers of the file run in.
        lower: the keys that files of a lower rank set.
        allow: reserved keys that the file may set.
        next_app: the file lies in the folder of a Next.js app, which reads it.
    """
    text, broken = statements.decode(data)
    parsed = statements.parse(text, allow=allow)
    said = [*broken, *lines.issues(parsed, lower)]
    alone = list(said)
    for process in ({}, _touching(text, parsed, environ)):
        said += compared.issues(text, parsed, alone, process, next_app=next_app)
    said += _refused(data, said, allow)
    ordered = sorted(dict.fromkeys(said), key=lambda each: (each.line, each.code))
    return Checked(text, parsed, tuple(ordered))


def _touching(
    text: str, parsed: tuple[Statement, ...], environ: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the part of an environment that can change what a file means."""
    named = {each.key for each in parsed} | set(_REFERENCE.findall(text))
    found = {key: environ[key] for key in named if key in environ}
    # Next.js expands the values of the process too: then any other can play a part.
    return environ if any("$" in value for value in found.values()) else found


def _refused(data: bytes, said: list[Issue], allow: Collection[str]) -> list[Issue]:
    """Return what the resolver refuses and no other check has seen, so that none stays silent."""
    if any(each.severity == "error" for each in said):
        return []
    try:
        dotenv.parse(data, "", allow=allow)
    except UsageError as error:
        line = int(error.where.rpartition(":")[2])
        return [Issue("ENV-SYNTAX", "error", line, "", error.message, error.hint)]
    return []

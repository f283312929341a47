"""Statements that lose data, or that what runs now may not survive: a look at the SQL alone.

It sees what is written, also inside a DO block. What a function does that is only called, or an
EXECUTE of a text put together, it does not see; the rehearsal itself counts rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from invoke_stack.database.migrating import Script
from invoke_stack.migrations import statements
from invoke_stack.migrations.statements import Statement

Severity = Literal["error", "warning"]

LONGEST = 100
_NAME = r"(?:[\w$.]|\"[^\"]*\")+"
_EXISTS = r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?+"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement, or one action of an ALTER TABLE.

    Attributes:
        migration: its migration.
        where: file and line.
        severity: "error" where data is lost, "warning" where something else may break.
        effect: what it does, as a sentence goes on.
        statement: its own words, cut short.
    """

    migration: str
    where: str
    severity: Severity
    effect: str
    statement: str


def _rule(pattern: str, severity: Severity, effect: str) -> tuple[re.Pattern[str], Severity, str]:
    return re.compile(rf"\s*{pattern}", re.IGNORECASE), severity, effect


_STATEMENTS = (
    _rule(r"DROP\s+(?:FOREIGN\s+)?TABLE\b", "error", "drops a table with all its rows"),
    _rule(r"DROP\s+SCHEMA\b", "error", "drops a schema"),
    _rule(r"DROP\s+DATABASE\b", "error", "drops a database"),
    _rule(r"DROP\s+OWNED\b", "error", "drops all that a role owns"),
    _rule(r"DROP\s+SEQUENCE\b", "error", "drops a sequence and where it stood"),
    _rule(
        r"DROP\s+(?:TYPE|DOMAIN|EXTENSION)\b.*\bCASCADE\b",
        "error",
        "drops every column that depends on it",
    ),
    _rule(r"TRUNCATE\b", "error", "removes all rows"),
    _rule(r"DROP\s+(?:MATERIALIZED\s+)?VIEW\b", "warning", "drops a view that code may read"),
    _rule(r"ALTER\s+TYPE\b.*\bRENAME\s+VALUE\b", "warning", "renames a value that code may use"),
    _rule(
        r"ALTER\s+(?!TABLE\b|INDEX\b|DATABASE\b|ROLE\b|USER\b).*\bRENAME\s+(?:TO|COLUMN)\b",
        "warning",
        "renames what code may use",
    ),
)
_ACTIONS = (
    _rule(rf"DROP\s+(?!CONSTRAINT\b)(?:COLUMN\s+)?+{_EXISTS}{_NAME}", "error", "drops a column"),
    _rule(
        rf"ALTER\s+(?:COLUMN\s+)?+{_NAME}\s+(?:SET\s+DATA\s+)?TYPE\b",
        "warning",
        "changes a column's type: values may not fit, the table may be written anew",
    ),
    _rule(
        rf"ALTER\s+(?:COLUMN\s+)?+{_NAME}\s+SET\s+NOT\s+NULL",
        "warning",
        "fails where a row has no value",
    ),
    _rule(
        rf"ADD\s+(?!CONSTRAINT\b|CHECK\b|PRIMARY\b|UNIQUE\b|FOREIGN\b|EXCLUDE\b)(?:COLUMN\s+)?+"
        rf"{_EXISTS}{_NAME}\s++(?!(?:small|big)?serial)"
        r"(?!.*\b(?:DEFAULT|GENERATED)\b).*\bNOT\s+NULL\b",
        "warning",
        "adds a column that every row needs, without a default: fails unless the table is empty",
    ),
    _rule(r"RENAME\s+TO\b", "warning", "renames a table that code may use"),
    _rule(
        rf"RENAME\s+(?!TO\b|CONSTRAINT\b)(?:COLUMN\s+)?+{_NAME}\s+TO\b",
        "warning",
        "renames a column that code may use",
    ),
)
_CREATED = re.compile(
    rf"\s*CREATE\s+(?:(?:GLOBAL|LOCAL)\s+)?(?:(?:TEMP|TEMPORARY|UNLOGGED)\s+)?TABLE\s+({_NAME})",
    re.IGNORECASE,
)
_TABLE = re.compile(
    rf"\s*ALTER\s+(?:FOREIGN\s+)?TABLE\s+{_EXISTS}(?:ONLY\s+)?{_NAME}(?:\s*\*)?\s+", re.IGNORECASE
)
_TARGET = re.compile(
    rf"\s*(?:DROP\s+TABLE|TRUNCATE(?:\s+TABLE)?|ALTER\s+TABLE|DELETE\s+FROM|UPDATE)\s+"
    rf"{_EXISTS}(?:ONLY\s+)?({_NAME})(?!\s*,)",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"\s*(?:CREATE|COMMENT|GRANT|REVOKE)\b", re.IGNORECASE)
_DELETE = re.compile(r"\bDELETE\s+FROM\b", re.IGNORECASE)
_UPDATE = re.compile(
    rf"(?:^|\()\s*UPDATE\s+(?:ONLY\s+)?{_NAME}.*?\bSET\b", re.IGNORECASE | re.DOTALL
)
_WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)


def look(scripts: Iterable[Script]) -> tuple[Finding, ...]:
    """Return what the migrations' SQL says, in order; a table that they make is theirs to drop."""
    made: set[str] = set()
    return tuple(found for script in scripts for found in _look(script, made))


def _look(script: Script, made: set[str]) -> Iterator[Finding]:
    for each in statements.split(script.text):
        if created := _CREATED.match(each.code):
            made.add(_named(each, created))
            continue
        target = _TARGET.match(each.code)
        if target is not None and _named(each, target) in made:
            continue
        for severity, effect, head, start, end in _effects(each.code):
            line = each.line + each.text.count("\n", 0, start)
            begin = f"{each.text[:head]} … " if head else ""
            words = " ".join(f"{begin}{each.text[start:end]}".split())
            text = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
            yield Finding(script.name, f"{script.shown}:{line}", severity, effect, text)


def _named(each: Statement, found: re.Match[str]) -> str:
    """Return the name as it is written: in the code a quoted one is blanked."""
    name = each.text[found.start(1) : found.end(1)]
    return name if '"' in name else name.casefold()


def _effects(code: str) -> Iterator[tuple[Severity, str, int, int, int]]:
    """Yield severity, effect, how much of the beginning to show, and the part that it is about."""
    if table := _TABLE.match(code):
        actions = code[table.end() :]
        for start, end in statements.parts(actions):
            part = actions[start:end]
            begin = table.end() + start + len(part) - len(part.lstrip())
            for severity, effect in _fitting(_ACTIONS, part):
                head, shown = (table.end(), begin) if start else (0, 0)
                yield severity, effect, head, shown, table.end() + end
        return
    for severity, effect in _fitting(_STATEMENTS, code):
        yield severity, effect, 0, 0, len(code)
    if _DEFINES.match(code):
        return
    for found in _DELETE.finditer(code):
        if not _WHERE.search(statements.rest(code, found.end())):
            yield "error", "deletes every row", 0, found.start(), len(code)
    for found in _UPDATE.finditer(code):
        if not _WHERE.search(statements.rest(code, found.end())):
            yield "warning", "changes every row", 0, 0, len(code)


def _fitting(
    rules: Iterable[tuple[re.Pattern[str], Severity, str]], code: str
) -> Iterator[tuple[Severity, str]]:
    flat = code.replace("\n", " ")
    return ((severity, effect) for pattern, severity, effect in rules if pattern.match(flat))

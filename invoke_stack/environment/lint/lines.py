"""What is not portable about a line, or about two lines of one file, whatever the values are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from invoke_stack.compose.interpolation import Reference, names, references
from invoke_stack.environment.expansion import needs_lower_layer
from invoke_stack.environment.lint.model import Issue, nameable
from invoke_stack.environment.lint.statements import Statement
from invoke_stack.findings.model import Severity

_BARE = re.compile(r"\$[A-Za-z_]")
_STARTS = re.compile(r"\$[A-Za-z0-9_{]")
_NO_DOLLAR = "use a value without `$`; no spelling of it reads the same everywhere"
_QUOTED = (
    "a `$` in single quotes: Compose keeps it, Next.js expands it, python-dotenv expands ${...}",
    _NO_DOLLAR,
)
_ESCAPED = (
    r"`\$`: Compose and Next.js take the backslash away in double quotes, python-dotenv keeps it",
    _NO_DOLLAR,
)
_DOUBLED = (
    "`$$`: one `$` to Compose, two to python-dotenv, the start of a reference to Next.js",
    _NO_DOLLAR,
)
_UNBRACED = (
    "`$NAME` without braces: Compose and Next.js expand it, python-dotenv does not",
    "write ${NAME}, or use a value without `$`",
)
_OPERATOR = (
    "a reference with an operator, or inside another one, that only Compose understands",
    "use ${NAME} or ${NAME:-word} with a plain word",
)


def issues(statements: Sequence[Statement], lower: Collection[str] = ()) -> Iterator[Issue]:
    """Yield what the lines of one file have to answer for.

    Args:
        statements: the file.
        lower: the keys that files of a lower rank set.
    """
    last = {each.key: each.line for each in statements if each.template is not None}
    first: dict[str, Statement] = {}
    for each in statements:
        yield from each.issues
        yield from _dollar(each)
        yield from _commands(each)
        yield from _references(each, last, {*lower, *first})
        if each.reading is not None and each.reading.key in first:
            yield _twice(each, first[each.reading.key])
        elif each.reading is not None:
            first[each.reading.key] = each


def _twice(statement: Statement, earlier: Statement) -> Issue:
    bare = {each.reading is None or each.reading.literal is None for each in (statement, earlier)}
    message = f"it stands in line {earlier.line} too; " + (
        "once without `=`, which readers understand differently"
        if len(bare) > 1
        else "the last one counts, but readers differ on what a reference between the two sees"
    )
    level: Severity = "error" if len(bare) > 1 else "warning"
    key = nameable(statement.key)
    return Issue("ENV-DUP", level, statement.line, key, message, "keep one of the lines")


def _dollar(statement: Statement) -> Iterator[Issue]:
    reading = statement.reading
    if reading is None or reading.literal is None or "$" not in statement.written:
        return
    said = next(_dollars(statement, reading.quote), None)
    if said:
        message, fix = said
        key = nameable(reading.key)
        yield Issue("ENV-DOLLAR", "warning", statement.line, key, message, fix)


def _dollars(statement: Statement, quote: str) -> Iterator[tuple[str, str]]:
    written = statement.written
    if quote == "'":
        if _STARTS.search(written):
            yield _QUOTED
        return
    if r"\$" in written:
        yield _ESCAPED
    if "$$" in written:
        yield _DOUBLED
    if _BARE.search(written):
        yield _UNBRACED
    if any(_only_compose(each) for each in references(statement.template or ())):
        yield _OPERATOR


def _only_compose(reference: Reference) -> bool:
    nested = any(isinstance(part, Reference) for part in reference.word)
    return nested or reference.operator not in {"", ":-"}


def _commands(statement: Statement) -> Iterator[Issue]:
    if "$(" in statement.written or "`" in statement.written:
        message = "dotenv-expand 1000, Ruby's dotenv and shells run what stands in `$(...)` or ` `"
        fix = "write the result of the command in its place"
        key = nameable(statement.key)
        yield Issue("ENV-EXEC", "warning", statement.line, key, message, fix)


def _references(
    statement: Statement, last: dict[str, int], below: Collection[str]
) -> Iterator[Issue]:
    own, key, line = statement.template or (), statement.key, statement.line
    for name in names(own):
        if name != key and last.get(name, 0) > line:
            message = (
                f"it refers to {nameable(name) or 'a key'}, which line {last[name]} sets: "
                "Next.js looks ahead, the others read it as empty"
            )
            yield Issue("ENV-REF", "error", line, nameable(key), message, "swap the two lines")
    if key in names(own) and key not in below and needs_lower_layer(own, key):
        message = (
            "it refers to itself and nothing below sets it: Next.js drops the whole file, "
            "dotenv-expand 1000 never ends"
        )
        fix = "give it a default, or set it in a lower layer"
        yield Issue("ENV-REF", "error", line, nameable(key), message, fix)

"""Where the three readers end up with different values although no single line told why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from invoke_stack.environment.lint import next_env, readers
from invoke_stack.environment.lint.model import Issue, nameable
from invoke_stack.environment.lint.statements import Statement

if TYPE_CHECKING:
    from invoke_stack.environment.lint.readers import Readings
    from invoke_stack.findings.model import Severity

_TOLD = frozenset({"ENV-DOLLAR", "ENV-REF", "ENV-LITERAL"})
_ASIDE = "Next.js reads another value"
_ALONE = "write NAME=value on a line of its own"
_BACKTICKS = (f"{_ASIDE}: it takes backticks as quotes", "wrap the value in single quotes")
_HASH = (f"{_ASIDE}: it ends the value at the `#`", "wrap the value in quotes")
_BACKSLASH = (
    f"{_ASIDE}: of backslashes in double quotes it decodes only \\n and \\r",
    "wrap the value in single quotes, without backslashes before quotes",
)
_EXPANDS = (
    f"{_ASIDE}: it expands every `$`, from the last one backwards",
    "use a value without `$`, or keep the key out of the files that Next.js reads",
)
_QUOTES = (
    f"{_ASIDE}: it does not end the value at the same quote",
    "use the other kind of quotes around the value",
)
_UNKNOWN = (_ASIDE, "use a plain value, or keep the key out of the files that Next.js reads")


def issues(
    text: str,
    statements: Sequence[Statement],
    said: Sequence[Issue],
    environ: Mapping[str, str],
    *,
    next_app: bool,
) -> Iterator[Issue]:
    """Yield the keys of a file that readers give different values, beyond what is ``said``.

    Args:
        text: the file.
        statements: the same file, taken apart.
        said: the issues of its lines.
        environ: the process environment that the readers run in.
        next_app: the file lies in the folder of a Next.js app, which reads it.
    """
    found = readers.read(text, statements, environ)
    broken = {each.line for each in said if each.severity == "error"}
    told = {each.line for each in said if each.code in _TOLD}
    level: Severity = "error" if next_app else "warning"
    last = {each.key: each for each in statements}
    for key in found.lost:
        yield from _lost(key, last, broken, level)
    for key, line in _lines(text, last, broken).items():
        if line in broken:
            continue
        python, compose, node = found.of(key, environ.get(key))
        if python != compose and line not in told:
            yield _two_values(last.get(key), key, line)
        if key not in found.lost and node != compose and (found.node or not found.lost):
            yield Issue("ENV-NEXT", level, line, nameable(key), *_why(last.get(key), found, key))


def _lines(text: str, last: Mapping[str, Statement], broken: set[int]) -> dict[str, int]:
    """Return every key that some reader sees, with the line that counts.

    A key that Next.js alone reads from a broken line belongs to that line.
    """
    node = {key: line for key, (_, line) in next_env.parse(text).items()}
    own = {key: each.line for key, each in last.items() if key}
    return {**node, **own, **{key: line for key, line in node.items() if line in broken}}


def _lost(
    key: str, last: Mapping[str, Statement], broken: set[int], level: Severity
) -> Iterator[Issue]:
    line = last[key].line if key in last else 1
    if line not in broken:
        message = "Next.js drops the whole file while it expands this value again and again"
        fix = "leave out the reference to itself, or the circle"
        yield Issue("ENV-NEXT", level, line, nameable(key), message, fix)


def _two_values(statement: Statement | None, key: str, line: int) -> Issue:
    if statement is not None and "$" in statement.written:
        message = "a reference or `$` that python-dotenv and Compose give two different values"
        fix = "write the value out, or use a default for what is empty or set twice"
        return Issue("ENV-DOLLAR", "warning", line, nameable(key), message, fix)
    message = "python-dotenv and Compose read two different values"
    return Issue("ENV-LITERAL", "error", line, nameable(key), message, "use plain single quotes")


def _why(statement: Statement | None, found: Readings, key: str) -> tuple[str, str]:
    if statement is None or statement.reading is None:
        return "only Next.js sees a key here", _ALONE
    if key not in found.node:
        return "Next.js does not see the key", _ALONE
    written, quote = statement.written, statement.reading.quote
    causes = (
        (not quote and written.startswith("`"), _BACKTICKS),
        (not quote and "#" in written, _HASH),
        (quote == '"' and "\\" in written and "$" not in written, _BACKSLASH),
        ("$" in written, _EXPANDS),
        (bool(quote), _QUOTES),
    )
    return next((told for true, told in causes if true), _UNKNOWN)

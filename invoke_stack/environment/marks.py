"""Marks in the comments of a template: `# @required @type=enum(a,b) @generate=hex(32)`."""

from __future__ import annotations

import re

from invoke_stack.environment.dotenv import statements

_MARK = re.compile(
    r"@(?P<name>[A-Za-z][\w-]*)"
    r"(?:=(?P<argument>\"[^\"]*\"|'[^']*'|[^\s()]*(?:\([^)]*\))?))?(?=\s|$)"
)


def marks(text: str) -> dict[str, dict[str, str]]:
    """Return the marks of every key in an env file's text.

    Every key is in the result, those without marks too. Marks stand in comment lines directly
    above the key; a blank line or another key in between ends their reach. A mark without
    `=` has "" as its argument.
    """
    found: dict[str, dict[str, str]] = {}
    waiting: dict[str, str] = {}
    for binding, _ in statements(text.removeprefix("\ufeff")):
        written = binding.original.string
        # A statement starts where the last one's line ended: a line end before its own text
        # is a blank line.
        if "\n" in written[: len(written) - len(written.lstrip())]:
            waiting = {}
        if binding.key is not None:
            found.setdefault(binding.key, {}).update(waiting)
            waiting = {}
        elif written.lstrip().startswith("#"):
            waiting.update(_in_comment(written.strip()))
    return found


def _in_comment(comment: str) -> dict[str, str]:
    text = comment.lstrip("#").strip()
    found = {}
    # From the start only: "# ask @ops" is prose.
    while match := _MARK.match(text):
        argument = match["argument"] or ""
        quoted = argument[:1] in {'"', "'"}
        found[match["name"]] = argument[1:-1] if quoted else argument
        text = text[match.end() :].lstrip()
    return found

"""Which files of a build context `.dockerignore` keeps out, read as BuildKit reads it.

The rules are those of Docker's `patternmatcher`: Go's `filepath.Match` plus `**`, the last
pattern that matches a file or one of its folders decides, `!` takes back.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from invoke_stack.dockerfile.lines import SPACES


def file_of(context: Path, dockerfile: Path) -> Path:
    """Return the ignore file of a build; one named after the Dockerfile wins."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    return own if own.is_file() else context / ".dockerignore"


def patterns(path: Path) -> tuple[str, ...]:
    """Return the patterns of an ignore file; none without a file."""
    try:
        return listed(path.read_bytes().decode("utf-8-sig", errors="replace"))
    except OSError:
        return ()


def listed(text: str) -> tuple[str, ...]:
    """Return the patterns in an ignore file's text."""
    lines = text.removeprefix("\ufeff").split("\n")
    stripped = (line.strip(SPACES) for line in lines if not line.startswith("#"))
    return tuple(line for line in stripped if line)


def excluded(name: str, lines: Sequence[str]) -> bool:
    """Tell whether a file, named from the context's root, stays out of the build context."""
    return Ignore(lines).excludes(name)


class Ignore:
    """The patterns of one ignore file, compiled once for many files.

    Args:
        lines: the patterns, as `patterns` and `listed` return them.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._patterns = [
            (not line.startswith("!"), pattern)
            for line in lines
            if (pattern := _compiled(line.removeprefix("!"))) is not None
        ]

    def excludes(self, name: str) -> bool:
        """Tell whether a file, named from the context's root, stays out."""
        path = posixpath.normpath(name)
        if path == ".":  # everything cannot be kept out
            return False
        ways = [path, *_parents(path)]
        out = False
        for keeps_out, pattern in self._patterns:
            # A pattern that cannot change the answer is not tried.
            if keeps_out != out and any(pattern.fullmatch(each) for each in ways):
                out = keeps_out
        return out


def _parents(name: str) -> list[str]:
    found = []
    while name := posixpath.dirname(name):
        found.append(name)
    return found


def _compiled(text: str) -> re.Pattern[str] | None:
    pattern = posixpath.normpath(text.strip(SPACES) or ".")
    if len(pattern) > 1:
        pattern = re.sub("^/{1,2}", "", pattern)
    try:
        return re.compile(_regex(pattern), re.DOTALL)
    except re.error:  # Docker refuses it, and with it the build
        return None


_TOKEN = re.compile(
    r"(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)|(?P<class>\[\^?(?:\\.|[^\]\\])+\])"
    r"|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


def _regex(pattern: str) -> str:
    parts = []
    for token in _TOKEN.finditer(pattern):
        if token["plain"] == "[":
            raise re.error("a set that nothing ends")
        if token["deep"]:
            # At the end it takes the rest; elsewhere whole folders. `**name` is a mere ending.
            ending = token.end() == len(pattern)
            loose = token.start() == 0 and not re.search(r"^/|[*?\[\]\\]", pattern[2:])
            parts.append(".*" if ending or loose else "(?:.*/)?")
        elif token["star"] or token["one"]:
            parts.append("[^/]*" if token["star"] else "[^/]")
        else:
            literal = token["escaped"] or token["plain"] or ""
            parts.append(token["class"] or re.escape(literal))
    return "".join(parts)

"""A Dockerfile's text to logical lines: continuations joined, comments gone, heredocs attached.

The rules are BuildKit's (frontend/dockerfile/parser): a comment or blank line inside a continued
instruction is skipped, `# escape=` counts only before everything else, and the body of a
heredoc belongs to its instruction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from invoke_stack.errors import UsageError

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go calls a space; Python also strips U+001C to U+001F."""
LONGEST = 64 * 1024
"""BuildKit reads no longer line; bytes."""

Ends: TypeAlias = Callable[[str], bool]

_DIRECTIVE = re.compile(
    r"#[\t\n\f\r ]*([A-Za-z][A-Za-z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z"
)
_DIRECTIVES = frozenset({"syntax", "escape", "check"})


class Source:
    """The physical lines of a Dockerfile, taken one by one.

    Args:
        text: the whole file.
        file: its name in messages.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.escape = "\\"
        self.directives: dict[str, str] = {}
        self.number = 0
        self.lines = text.removeprefix("\ufeff").split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self._directing = True

    def take(self) -> str | None:
        """Return the next line without its end; None at the end of the file.

        Raises:
            UsageError: it is longer than BuildKit reads.
        """
        if self.number >= len(self.lines):
            return None
        line = self.lines[self.number]
        self.number += 1
        if len(line) >= LONGEST // 4 and len(line.encode("utf-8", "replace")) >= LONGEST:
            raise self.refused(f"a line of {LONGEST >> 10} KiB or more")
        return line

    def refused(self, message: str, line: int = 0) -> UsageError:
        """Return the error for text that BuildKit refuses."""
        hint = "correct the line; `docker build --check .` tells the same"
        return UsageError(f"{self.file}:{line or self.number}", message, hint=hint)

    def direct(self, line: str) -> None:
        """Look for a parser directive, as long as nothing else has been seen."""
        if not self._directing:
            return
        found = _DIRECTIVE.match(line)
        name = found[1].lower() if found else ""
        if found is None or name not in _DIRECTIVES:
            self._directing = False
            return
        if name in self.directives:
            raise self.refused(f"the {name} directive stands here twice")
        self.directives[name] = found[2]
        if name == "escape":
            if found[2] not in {"`", "\\"}:
                raise self.refused("the escape directive takes ` or \\ only")
            self.escape = found[2]


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction's text, from ``first`` to the line that ends it (heredocs not counted)."""

    text: str
    first: int


def logical(source: Source) -> Iterator[Line]:
    """Yield the instructions' texts; whoever iterates may take heredoc lines in between."""
    while (raw := source.take()) is not None:
        line = raw.rstrip("\r\n").lstrip(SPACES)
        source.direct(line)
        if line.startswith("#"):
            continue
        first = source.number
        line, ended = _continued(line, source.escape)
        if ended and not line:
            continue
        parts = [line]
        while not ended and (raw := source.take()) is not None:
            line = raw.rstrip("\r\n")
            source.direct(line)
            bare = line.lstrip(SPACES)
            if not bare or bare.startswith("#"):
                continue
            line, ended = _continued(line, source.escape)
            parts.append(line)
        yield Line("".join(parts), first)


def _continued(line: str, escape: str) -> tuple[str, bool]:
    """Return the line without its continuation character, and whether the instruction ends."""
    bare = line.rstrip(" \t")
    if not bare.endswith(escape) or bare[-2:-1] == escape:
        return line, True
    return bare[:-1], False


def body(source: Source, ends: Ends, first: int) -> str:
    """Take the lines of a heredoc and return them with their line ends.

    Raises:
        UsageError: nothing ends it.
    """
    found: list[str] = []
    while (raw := source.take()) is not None:
        if ends(raw.rstrip("\r\n")):
            return "".join(found)
        found.append(f"{raw}\n")
    raise source.refused("a heredoc that nothing ends", first)

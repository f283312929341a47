"""What a stream can take: colours, characters, and readers that go away."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

BOLD, DIM, RED, YELLOW = "1", "2", "1;31", "33"

# Stand-ins for what an old Windows code page or the C locale cannot encode.
_ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "⚠": "!", "…": "...", "→": "->", "·": "-", "•": "*"}
    | {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<="}
)


class Stream:
    """An output stream and what it is able to show.

    Attributes:
        raw: the stream itself.
        environ: the caller's environment.
        terminal: whether a person watches it.
        left: whether its reader has gone away.
        moves: whether its cursor can be moved.
        colour: whether colours are possible and welcome.
    """

    def __init__(self, raw: TextIO, environ: Mapping[str, str]) -> None:
        self.raw = raw
        self.environ = environ
        self.terminal = raw.isatty()
        self.left = False
        # The old Windows console prints escape sequences as they are.
        able = os.name != "nt" or "WT_SESSION" in environ or "TERM" in environ
        self.moves = self.terminal and able and environ.get("TERM") != "dumb"
        self.colour = self.moves and not environ.get("NO_COLOR")

    def styled(self, text: str, style: str) -> str:
        """Return the text in a style, where the stream shows one."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour else text

    def encodes(self, text: str) -> bool:
        """Tell whether the stream can write every character."""
        try:
            text.encode(self.raw.encoding or "utf-8", self.raw.errors or "strict")
        except UnicodeEncodeError:
            return False
        return True

    def fit(self, text: str) -> str:
        """Return the text with stand-ins for what the stream cannot write."""
        if self.encodes(text):
            return text
        encoding = self.raw.encoding or "utf-8"
        return text.translate(_ASCII).encode(encoding, "replace").decode(encoding)

    def write(self, text: str) -> None:
        """Write at once; a reader that has gone away is not an error."""
        with self.unread():
            self.raw.write(self.fit(text))
            self.raw.flush()

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """Go on quietly when nobody reads any more, as in `inv … | head`.

        What is still in the stream's buffer would raise again when the interpreter flushes it
        at exit, with a message that nobody can catch. So the descriptor is pointed at the
        null device: the advice of Python's own documentation on SIGPIPE.
        """
        try:
            yield
        except BrokenPipeError:
            self.left = True
            self._give_up()
        except OSError:  # a full disk: that is an error, said once
            self._give_up()
            raise

    def _give_up(self) -> None:
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, self.raw.fileno())
            finally:
                os.close(null)


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Return the rows as lines of equal columns; ``right`` tells which stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines

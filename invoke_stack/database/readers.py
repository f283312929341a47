"""What reads a dump while it arrives, so that checking it costs next to no time of its own."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from invoke_stack.process import Command, Runner, Running

_END_BYTES = 1024
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Heard:
    """How a program that read the dump ended, and all that it said."""

    code: int
    lines: tuple[str, ...]


class Programs:
    """Programs that are started with the first bytes and get every byte.

    One that has heard enough and ends is left in peace; one that is slower than the dump holds
    it up, so that nothing piles up in memory.
    """

    def __init__(self, runner: Runner, commands: Sequence[Command]) -> None:
        self._runner = runner
        self._commands = commands
        self._stack = contextlib.ExitStack()
        self._running: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def take(self, part: memoryview) -> None:
        """Hand a piece of the dump to all of them."""
        if not self._running:
            starts = [self._runner.start(each, fed=True) for each in self._commands]
            self._running = [self._stack.enter_context(each) for each in starts]
        for each in self._running:
            each.feed(part)

    def end(self) -> None:
        """Tell them that this was all."""
        for each in self._running:
            each.fed()

    def heard(self) -> tuple[Heard, ...]:
        """Wait for all of them; return what they said, in the order of the commands."""
        return tuple(Heard(each.wait(), tuple(each.fresh())) for each in self._running)


class Script:
    """The end of a dump that is a script; it is unpacked on the way where it is compressed."""

    def __init__(self, *, compressed: bool) -> None:
        self._gzip = zlib.decompressobj(_GZIP) if compressed else None
        self._last = b""
        self._sound = True

    def take(self, part: memoryview) -> None:
        """Look at a piece of the dump."""
        text = bytes(part)
        if self._gzip is not None:
            try:
                text = self._gzip.decompress(text)
            except zlib.error:
                self._sound = False
        self._last = (self._last + text[-_END_BYTES:])[-_END_BYTES:]

    @property
    def last(self) -> bytes:
        """Its last bytes, unpacked; none where it cannot be unpacked to its end."""
        finished = self._gzip is None or self._gzip.eof
        return self._last if self._sound and finished else b""

"""What reads a dump while it arrives, so that checking it costs next to no time of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from invoke_stack.children import GRACE_S
from invoke_stack.process import Command, Runner, Running

_END_BYTES = 1024
_WAITING = 64
"""How many pieces, of a quarter of a megabyte at most, may wait for one program."""

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Heard:
    """How a program that read the dump ended, and all that it said."""

    code: int
    lines: tuple[str, ...]


class Programs:
    """Programs that are started with the first bytes and get every byte.

    One that has heard enough and ends is left in peace. One that is slow, as each is while it
    starts, has some pieces waiting for it; when those are too many the dump waits, so that memory
    stays small.
    """

    def __init__(self, runner: Runner, commands: Sequence[Command]) -> None:
        self._runner = runner
        self._commands = commands
        self._stack = contextlib.ExitStack()
        self._fed: list[_Fed] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stack.close()
        finally:
            for each in self._fed:
                each.close()

    def take(self, part: memoryview) -> None:
        """Hand a piece of the dump to all of them."""
        for command in self._commands[len(self._fed) :]:
            running = self._runner.start(command, fed=True)
            self._fed.append(_Fed(self._stack.enter_context(running)))
        piece = bytes(part)
        for each in self._fed:
            each.take(piece)

    def end(self) -> None:
        """Tell them that this was all."""
        for each in self._fed:
            each.take(None)

    def heard(self) -> tuple[Heard, ...]:
        """Wait for all of them; return what they said, in the order of the commands."""
        return tuple(each.heard() for each in self._fed)


class _Fed:
    """One program and the thread that hands it what waits for it."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def take(self, piece: bytes | None) -> None:
        if self._thread.is_alive():
            self._waiting.put(piece)

    def heard(self) -> Heard:
        self._thread.join()
        return Heard(self._running.wait(), tuple(self._running.fresh()))

    def close(self) -> None:
        """Let go of what waits; the program has ended, so that nothing holds the thread up."""
        self.take(None)
        self._thread.join(GRACE_S)

    def _feed(self) -> None:
        while (piece := self._waiting.get()) is not None:
            self._running.feed(piece)
        self._running.fed()


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

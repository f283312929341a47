"""Progress while something takes long: redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from invoke_stack.events import Progress, ServiceProgress, Transferred
from invoke_stack.terminal import Stream, aligned

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

HEARTBEAT_S = 10.0
"""How long plain output may be silent, in seconds."""

GLYPHS = {"healthy": "✓", "running": "✓", "done": "✓", "unhealthy": "✗", "failed": "✗"}
COLOURS = {"✓": "green", "✗": "red", "…": "yellow"}

Clock = Callable[[], float]


class View(Protocol):
    """Shows progress until it is finished."""

    def show(self, event: Progress | Transferred) -> None:
        """Show the latest state."""

    def above(self, text: str) -> None:
        """Print a line of other output without spoiling the view."""

    def finish(self) -> None:
        """Leave the last state as it stands and start anew with the next event."""


class Screen:
    """A view that is redrawn in place.

    Args:
        stream: a terminal.
        clean: makes a text fit for showing (no secret, nothing the terminal cannot encode).
        clock: seconds that only move forward.
    """

    def __init__(self, stream: Stream, clean: Callable[[str], str], clock: Clock) -> None:
        self._stream = stream
        self._clean = clean
        self._rate = Rate(clock)
        self._live: Live | None = None
        self._kind: object = None

    def show(self, event: Progress | Transferred) -> None:
        """Show the latest state."""
        kind = event.what if isinstance(event, Transferred) else Progress
        if kind != self._kind:
            self.finish()
            self._kind = kind
        picture = self._bytes(event) if isinstance(event, Transferred) else self._table(event)
        if self._live is None:
            self._live = self._start(picture)
        else:
            self._live.update(picture, refresh=True)

    def above(self, text: str) -> None:
        """Print a line above the view."""
        from rich.text import Text

        if self._live is None:
            self._stream.raw.write(f"{text}\n")
        else:
            self._live.console.print(Text.from_ansi(text), soft_wrap=True)
        self._stream.raw.flush()

    def finish(self) -> None:
        """Leave the last state on the screen and give the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._stream.raw.flush()
        self._live = self._kind = None
        self._rate.reset()

    def _start(self, picture: RenderableType) -> Live:
        # Imported here: rich costs 25 ms, which `inv --list` must not pay.
        from rich.console import Console
        from rich.live import Live

        console = Console(
            file=self._stream.raw,
            force_terminal=True,
            no_color=not self._stream.colour,
            highlight=False,
            _environ=self._stream.environ,
        )
        # Every event repaints; a thread of its own would also repaint after the last one. And
        # rich's default mark for what is cut off is one that not every terminal can encode.
        live = Live(
            picture,
            console=console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        live.start(refresh=True)
        return live

    def _table(self, event: Progress) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        rows = [[self._word(cell) for cell in _cells(row)] for row in event.services]
        # Not rich's table: it shrinks every column to make room for one long detail.
        lines = aligned(rows, (False, False, False, True, False)) if rows else []
        texts = []
        for row, words, line in zip(event.services, rows, lines, strict=True):
            text = Text(line, no_wrap=True, overflow="crop")
            text.stylize(COLOURS[GLYPHS.get(row.state, "…")], 0, len(words[0]))
            if words[4] and self._stream.colour:
                text.stylize("dim", len(line) - len(words[4]))
            texts.append(text)
        return Group(*texts)

    def _word(self, text: str) -> str:
        return " ".join(self._clean(text).split())

    def _bytes(self, event: Transferred) -> RenderableType:
        from rich.text import Text

        return Text(self._word(self._rate.line(event)), no_wrap=True, overflow="crop")


class Ticker:
    """A view of plain lines: each change once, and a heartbeat while nothing changes.

    It has no thread: the domain function that reports also keeps the beat.

    Args:
        say: prints one line.
        clock: seconds that only move forward.
    """

    def __init__(self, say: Callable[[str], None], clock: Clock) -> None:
        self._say = say
        self._clock = clock
        self._rate = Rate(clock)
        self._states: dict[str, str] = {}
        self._began: float | None = None
        self._spoke = 0.0

    def show(self, event: Progress | Transferred) -> None:
        """Print what changed, or a line when the last one is long ago."""
        now = self._clock()
        if self._began is None:
            self._began = self._spoke = now
        if isinstance(event, Transferred):
            lines, beat = [], self._rate.line(event)
        else:
            lines, beat = self._changes(event), _waiting(event, now - self._began)
        if not lines and now - self._spoke >= HEARTBEAT_S:
            lines = [beat]
        for line in lines:
            self._say(line)
            self._spoke = now

    def above(self, text: str) -> None:
        """Print a line; plain lines have nothing to spoil."""
        self._say(text)

    def finish(self) -> None:
        """Start anew with the next event."""
        self._states = {}
        self._began = None
        self._rate.reset()

    def _changes(self, event: Progress) -> list[str]:
        lines = []
        for row in event.services:
            if row.state != self._states.get(row.service, "waiting"):
                lines.append(_row(row))
            self._states[row.service] = row.state
        return lines


class Rate:
    """Words for a transfer: how long, how much, how fast, how far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._what = ""
        self._began: float | None = None

    def reset(self) -> None:
        """Forget the transfer that was shown."""
        self._began = None

    def line(self, event: Transferred) -> str:
        """Return the transfer as one line; its first event starts the time."""
        now = self._clock()
        if self._began is None or self._what != event.what:
            self._what, self._began = event.what, now
        elapsed = now - self._began
        parts = [f"{elapsed:.0f} s", f"{event.bytes_done / 1e6:.1f} MB"]
        if elapsed > 0:
            parts.append(f"{event.bytes_done / 1e6 / elapsed:.1f} MB/s")
        if event.bytes_expected > 0:
            # The expected size is an estimate: 100 % is only said by the end itself.
            parts.append(f"~{min(99, event.bytes_done * 100 // event.bytes_expected)}%")
        if event.detail:
            parts.append(event.detail)
        return f"{event.what}: {', '.join(parts)}"


def _cells(row: ServiceProgress) -> tuple[str, ...]:
    glyph = GLYPHS.get(row.state, "…")
    return (glyph, row.service, row.state, f"{row.since_s:.0f} s", row.detail)


def _row(row: ServiceProgress) -> str:
    detail = f", {row.detail}" if row.detail else ""
    return f"{row.service}: {row.state} ({row.since_s:.0f} s{detail})"


def _waiting(event: Progress, elapsed: float) -> str:
    states = ", ".join(f"{row.service} {row.state}" for row in event.services)
    return f"waiting {elapsed:.0f} s: {states}"

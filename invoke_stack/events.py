"""What long domain functions report while they work; the task layer shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Step:
    """A step begins; one short phrase."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know but need not act on."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that will bite later, and what to write instead."""

    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of another program's output."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A change that a dry run would make, other than running a program."""

    text: str


@dataclass(frozen=True, slots=True)
class ServiceProgress:
    """One row of the live table.

    ``since_s`` counts seconds of the wait: since the start of what was started meanwhile.
    """

    service: str
    state: Literal[
        "waiting", "building", "starting", "running", "healthy", "unhealthy", "done", "failed"
    ]
    detail: str = ""
    since_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole live table at one moment."""

    services: tuple[ServiceProgress, ...]


@dataclass(frozen=True, slots=True)
class Transferred:
    """Bytes moved so far, with the expected total where it is known."""

    what: str
    bytes_done: int
    bytes_expected: int = 0
    detail: str = ""


Event = Step | Note | Warned | Line | Planned | Progress | Transferred
Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """Report to nobody."""

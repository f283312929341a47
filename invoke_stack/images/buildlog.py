"""What BuildKit prints while it builds (`--progress plain`), read line by line."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

KEPT = 40
"""Lines of output that are kept for each step."""

State = Literal["running", "done", "cached", "failed", "cancelled"]

_HEADER = re.compile(r"#(?P<number>\d+) \[(?P<words>[^\]]+)\] (?P<text>.*)")
_STATE = re.compile(r"#(?P<number>\d+) (?P<word>DONE|CACHED|CANCELED|ERROR:?)(?: (?P<rest>.*))?$")
_OUTPUT = re.compile(r"#(?P<number>\d+) \d+\.\d+ ?(?P<text>.*)")
_COUNT = re.compile(r"(\d+)/(\d+)")
_STATES: dict[str, State] = {
    "DONE": "done",
    "CACHED": "cached",
    "CANCELED": "cancelled",
    "ERROR": "failed",
}


@dataclass(slots=True)
class Step:
    """One step of one service's build.

    Attributes:
        stage: the Dockerfile's stage; "" where BuildKit names none.
        index: which step of its stage this is, from 1; 0 for the builder's own work.
        text: the instruction, with build arguments filled in: it may hold a secret.
        error: why it failed.
    """

    number: int
    service: str
    stage: str
    index: int
    of: int
    text: str
    state: State = "running"
    seconds: float = 0.0
    error: str = ""
    output: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT), repr=False)

    @property
    def instruction(self) -> bool:
        """Whether the Dockerfile asks for it, rather than the builder."""
        return self.index > 0

    @property
    def title(self) -> str:
        """The step as BuildKit shows it: `[deps 2/3] RUN npm ci`."""
        place = " ".join(filter(None, (self.stage, f"{self.index}/{self.of}" if self.of else "")))
        return f"[{place}] {self.text}" if place else self.text


class BuildLog:
    """The steps of a running build.

    Args:
        services: what is built; BuildKit puts the service's name in front of a step.
    """

    def __init__(self, services: Collection[str]) -> None:
        self._services = services
        self._steps: dict[tuple[int, str], Step] = {}
        self._current: dict[int, Step] = {}
        self.reason = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far, in the order in which BuildKit began them."""
        return tuple(self._steps.values())

    @property
    def failed(self) -> Step | None:
        """The step that ended the build."""
        return next((each for each in self.steps if each.state == "failed"), None)

    def running(self, service: str) -> Step | None:
        """Return what goes on for a service now, the Dockerfile's steps before the builder's."""
        active = [s for s in self.steps if s.service == service and s.state == "running"]
        return next((s for s in reversed(active) if s.instruction), active[-1] if active else None)

    def finished(self, service: str) -> bool:
        """Tell whether the image of a service has been stored."""
        return any(
            each.service == service and each.state == "done" and each.text.startswith("exporting")
            for each in self.steps
        )

    def feed(self, line: str) -> Step | None:
        """Take a line; return the step that has ended with it."""
        if found := _HEADER.match(line):
            self._began(int(found["number"]), found["words"].split(), found["text"])
        elif found := _STATE.match(line):
            return self._ended(int(found["number"]), found["word"].rstrip(":"), found["rest"] or "")
        elif found := _OUTPUT.match(line):
            if step := self._current.get(int(found["number"])):
                step.output.append(found["text"])
        elif "failed to solve: " in line:
            self.reason = line.partition("failed to solve: ")[2]
        return None

    def hits(self, service: str) -> tuple[tuple[str, int, int], ...]:
        """Return for each stage of a service: its name, steps from the cache, steps in all."""
        counted: dict[str, list[int]] = {}
        for step in self.steps:
            # A FROM is not worked on: its state says nothing.
            if step.service == service and step.instruction and not step.text.startswith("FROM "):
                pair = counted.setdefault(step.stage, [0, 0])
                pair[0] += step.state == "cached"
                pair[1] += 1
        return tuple((stage, cached, total) for stage, (cached, total) in counted.items())

    def _began(self, number: int, words: list[str], text: str) -> None:
        service, stage, index, of = self._place(words)
        key = (number, service)
        if key not in self._steps:
            self._steps[key] = Step(number, service, stage, index, of, text)
        self._current[number] = self._steps[key]

    def _place(self, words: list[str]) -> tuple[str, str, int, int]:
        index = of = 0
        if counted := _COUNT.fullmatch(words[-1]):
            index, of = int(counted[1]), int(counted[2])
            words = words[:-1]
        service = next(iter(self._services), "") if len(self._services) == 1 else ""
        if words and words[0] in self._services:
            service, words = words[0], words[1:]
        names = list(_stages(words))
        return service, names[-1] if names else "", index, of

    def _ended(self, number: int, word: str, rest: str) -> Step | None:
        step = self._current.get(number)
        if step is None or step.state in {"done", "cached", "failed"}:
            return None
        step.state = _STATES[word]
        if step.state == "failed":
            step.error = rest
        elif seconds := re.match(r"(\d+(?:\.\d+)?)s", rest):
            step.seconds = float(seconds[1])
        return step


def _stages(words: list[str]) -> Iterator[str]:
    """Yield a step's words that may name its stage: no platform, not the builder's own work."""
    for word in words:
        if "/" not in word and word not in {"internal", "auth"}:
            yield word

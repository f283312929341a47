"""The one place that prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from json import dumps
from typing import Any, TextIO, assert_never

from invoke_stack.errors import RefusedError, StackError
from invoke_stack.events import Event, Line, Note, Planned, Progress, Step, Transferred, Warned
from invoke_stack.live import Screen, Ticker, View
from invoke_stack.terminal import BOLD, DIM, RED, YELLOW, Stream, aligned


def unchanged(text: str) -> str:
    """Return the text as it is: the redaction of a console that knows no secrets."""
    return text


class Console:
    """Prints for people and for programs.

    Args:
        out: takes results, so that they can be piped.
        err: takes everything else.
        environ: the caller's environment (`NO_COLOR`, `TERM`, `CI`).
        redact: takes the secrets out of any text; may be replaced when more are known.
        json: stdout is one JSON document; results for people are left out.
        source: where answers are read from; standard input when absent.
        clock: seconds that only move forward.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the world outside
        self,
        out: TextIO,
        err: TextIO,
        *,
        environ: Mapping[str, str],
        redact: Callable[[str], str] = unchanged,
        json: bool = False,
        source: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.redact = redact
        self.json = json
        self._out = Stream(out, environ)
        self._err = Stream(err, environ)
        self._source = source
        self.documented = False
        self.planned: list[str] = []
        self._view: View = Ticker(self._line, clock)
        if self._err.moves and not environ.get("CI"):
            self._view = Screen(self._err, self._clean, clock)

    @property
    def colour(self) -> bool:
        """Whether results may carry colour."""
        return self._out.colour

    @property
    def unread(self) -> bool:
        """Whether the reader of the results has gone away, as `head` does when it has enough."""
        return self._out.left

    def result(self, text: str, *, reveal: bool = False) -> None:
        """Print what the task was asked for; ``reveal`` shows secrets, on request only."""
        if not self.json:
            self._publish(text if reveal else self.redact(text))

    def document(self, values: Mapping[str, Any], *, reveal: bool = False) -> None:
        """Print the one JSON document of a `--json` run.

        Secrets are taken out of the texts inside it, before they are escaped: afterwards a
        password such as `true` or `file` would be found in the document's own words.
        """
        self.documented = True
        shown = {"schema": 1, **values}
        if not reveal:
            shown = {key: self._hidden(value) for key, value in shown.items()}
        text = dumps(shown, ensure_ascii=False, indent=2)
        # A stand-in for what stdout cannot encode would change the data; JSON can escape it.
        self._publish(text if self._out.encodes(text) else dumps(shown, indent=2))

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, reveal: bool = False
    ) -> None:
        """Print aligned columns; columns of numbers stand to the right."""
        if self.json:
            return
        numeric = [
            all(isinstance(row[number], int | float | None) for row in rows) and bool(rows)
            for number in range(len(columns))
        ]
        texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if not reveal:
            texts = [[self.redact(cell) for cell in row] for row in texts]
        cells = [[" ".join(self._out.fit(cell).split()) for cell in row] for row in texts]
        head, *body = aligned([list(columns), *cells], numeric)
        self._publish("\n".join([self._out.styled(head, BOLD), *body]))

    def note(self, text: str) -> None:
        """Say something that needs no action."""
        self._say(text)

    def step(self, text: str) -> None:
        """Say what begins now; what went on before has ended."""
        self.finish()
        self._say(self._err.styled(text, BOLD))

    def warn(self, text: str, hint: str = "") -> None:
        """Say what will bite later, and what to write instead."""
        self._say(f"{self._err.styled('warning:', YELLOW)} {text}")
        self._hint(hint)

    def error(self, problem: StackError) -> None:
        """Print the error that ends the task."""
        self.finish()
        self._say(f"{self._err.styled('error:', RED)} {problem}")
        for line in problem.detail:
            self._say(f"  {line}")
        self._hint(problem.hint)

    def echo(self, command: str) -> None:
        """Print a command line that runs or would run."""
        self.planned.append(f"$ {command}")
        self._say(self._err.styled(f"$ {command}", DIM))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Return when the user agrees; `--yes` agrees beforehand.

        Raises:
            RefusedError: another answer, or nobody there to give one.
        """
        if not yes and self._ask(question, "[y/N] ", "--yes").casefold() not in {"y", "yes"}:
            raise RefusedError("confirmation", "not given; nothing was changed")

    def confirm_word(self, question: str, word: str) -> None:
        """Return when the user types the word.

        Raises:
            RefusedError: another answer, or nobody there to give one.
        """
        if self._ask(question, f"type {word} to go on: ", f"--confirm {word}") != word:
            raise RefusedError("confirmation", "that is another name; nothing was changed")

    def _ask(self, question: str, prompt: str, flag: str) -> str:
        self.finish()
        source = self._source or sys.stdin
        # Without a standard input (a service, `pythonw`) there is none to ask either.
        if source is None or not (source.isatty() and self._err.terminal):
            raise RefusedError(
                "confirmation",
                f"there is no terminal to ask on and {flag} was not given",
                hint=f"read what it does, then add {flag}",
                detail=tuple(question.splitlines()),
            )
        self._err.write(f"{self._clean(question)} {prompt}")
        return source.readline().strip()

    def report(self, event: Event) -> None:
        """Show what a long domain function reports."""
        match event:
            case Step():
                self.step(event.text)
            case Note():
                self.note(event.text)
            case Warned():
                self.warn(event.text, event.hint)
            case Line():
                self._say(self._err.styled(f"{event.source} | {event.text}", DIM))
            case Planned():
                self.planned.append(event.text)
                self.note(f"would {event.text}")
            case Progress() | Transferred():
                with self._err.unread():
                    self._view.show(event)
            case _:
                assert_never(event)

    def finish(self) -> None:
        """Close a live view: its last state stays, the cursor comes back."""
        with self._err.unread():
            self._view.finish()

    def _hint(self, hint: str) -> None:
        for number, line in enumerate(hint.splitlines()):
            self._say(f"        {line}" if number else f"  hint: {line}")

    def _say(self, text: str) -> None:
        with self._err.unread():
            self._view.above(self._clean(text))

    def _line(self, text: str) -> None:
        self._err.write(f"{self._clean(text)}\n")

    def _publish(self, text: str) -> None:
        # A live view on the same terminal would be drawn into the middle of the result.
        self.finish()
        if text:
            self._out.write(text if text.endswith("\n") else f"{text}\n")

    def _clean(self, text: str) -> str:
        return self._err.fit(self.redact(text))

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {key: self._hidden(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._hidden(each) for each in value]
        return value

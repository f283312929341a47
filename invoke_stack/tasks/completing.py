"""`python -m invoke_stack.tasks.completing inv stack.logs -s we`: what may follow a line.

The last word is the one that is being typed, empty between two words. Each candidate stands on a
line of its own; nothing else is ever printed, whatever a project's tasks.py says or breaks.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.program import Program

from invoke_stack.tasks._task import StackTask

if TYPE_CHECKING:
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

    from invoke_stack.project import Project

Values = Callable[["Project"], Iterable[str]]


def main(words: Sequence[str]) -> None:
    """Print what may stand in place of the last word."""
    found: tuple[str, ...] = ()
    # tasks.py may print, fail, or end the interpreter: a line that is being typed shows none of it.
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(Exception, SystemExit),
    ):
        line = Line(words)
        line.run(["inv", *line.before], exit=False)
        found = line.candidates
    print("\n".join(found))  # noqa: T201 - the shell reads it; there is no console for that


class Line(Program):
    """A command line as far as it is typed.

    Attributes:
        before: the words before the one that is being typed.
        current: what is there of that one; of `--flag=value` the value alone.
        candidates: what may stand in its place, once it has run.
    """

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        *before, current = [*words[1:], ""] if len(words) < 2 else words[1:]  # noqa: PLR2004
        self._start = ""
        if current == "=":  # bash takes --flag=value apart
            current = ""
        elif before[-1:] == ["="]:
            before.pop()
        elif current.startswith("--") and "=" in current:
            flag, _, current = current.partition("=")
            before.append(flag)
            self._start = f"{flag}="
        self.before, self.current = before, current
        self.candidates: tuple[str, ...] = ()

    def parse_tasks(self) -> None:
        """Find the candidates, and end there: nothing is ever run."""
        if "--" not in self.before:
            fits = (each for each in self._offered() if each.startswith(self.current))
            self.candidates = tuple(self._start + each for each in fits)
        raise Exit

    def _offered(self) -> Iterator[str]:
        context = self._context()
        last = self.before[-1] if self.before else ""
        # Invoke's mapping knows short flags by index alone; its `get` does not.
        flag = context.flags[last] if last in context.flags else None  # noqa: SIM401
        if flag is not None and flag.takes_value:
            yield from self._values(context, flag)
        elif self.current.startswith("-"):
            short = self.current == "-"
            yield from (each for each in context.flag_names() if short or each.startswith("--"))
        else:
            for name, aliases in sorted(self.collection.task_names.items()):
                yield from (name, *aliases)

    def _context(self) -> ParserContext:
        """Return the task that the line has come to, or the core's own flags before the first."""
        parser = Parser(contexts=self.collection.to_contexts(), initial=self.initial_context)
        try:
            return list(parser.parse_argv(list(self.core.unparsed)))[-1]
        except ParseError as problem:  # a flag that waits for its value, mostly
            return problem.context or self.initial_context

    def _values(self, context: ParserContext, flag: Argument) -> Iterable[str]:
        task = self.collection[context.name] if context.name else None
        if not isinstance(task, StackTask):
            return ()
        values = _source(task.name, str(flag.name).strip("_"))
        if values is None or not callable(values):
            return values or ()
        from invoke_stack.tasks._session import Session

        common = {str(name): each.value for name, each in context.args.items()}
        session = Session.open(Context(self.config), as_json=False)
        return values(session.project(common))


def _source(task: str, flag: str) -> Values | Sequence[str] | None:
    """Return where the values of a flag come from; None where only the user knows."""
    from invoke_stack.completion import scripts, values
    from invoke_stack.findings import model, writers

    special: dict[tuple[str, str], Any] = {
        ("rewind", "name"): values.snapshots,
        ("snapshot", "name"): values.snapshots,
        ("diff", "from"): values.known_modes,
        ("diff", "to"): values.known_modes,
        ("backup", "format"): ("custom", "plain", "plain.gz"),
    }
    plain: dict[str, Any] = {
        "service": values.services,
        "file": values.backups,
        "rule": values.rules,
        "select": values.rules,
        "ignore": values.rules,
        "key": values.keys,
        "rotate": values.keys,
        "target": values.url_keys,
        "mode": values.known_modes,
        "view": ("host", "stack"),
        "format": writers.FORMATS,
        "fail_on": model.SEVERITIES,
        "shell": scripts.SHELLS,
    }
    return special.get((task, flag), plain.get(flag))


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m invoke_stack.tasks.completing inv stack.logs -s we`: what may follow a line.

The last word is the one that is being typed, empty between two words. Each candidate stands on a
line of its own; nothing else is ever printed, whatever a project's tasks.py says or breaks.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from invoke_stack.tasks._task import StackTask

if TYPE_CHECKING:
    from invoke.parser.argument import Argument

    from invoke_stack.project import Project

ALWAYS = frozenset({"dump_formats", "formats", "rules", "severities", "shells", "views"})
"""Functions of `completion.values` whose answer is the same in every project."""

BY_TASK = {
    ("rewind", "name"): "snapshots",
    ("snapshot", "name"): "snapshots",
    ("diff", "from"): "known_modes",
    ("diff", "to"): "known_modes",
    ("backup", "format"): "dump_formats",
}
BY_FLAG = {
    "service": "services",
    "file": "backups",
    "rule": "rules",
    "select": "rules",
    "ignore": "rules",
    "key": "keys",
    "rotate": "keys",
    "target": "url_keys",
    "mode": "known_modes",
    "view": "views",
    "format": "formats",
    "fail_on": "severities",
    "shell": "shells",
}
"""Where the values of a flag come from: names in `completion.values`, loaded when asked for."""


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
    for each in found:
        print(each)  # noqa: T201 - the shell reads it; there is no console for that


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
        parser = Parser(contexts=tuple(self._named()), initial=self.initial_context)
        try:
            return list(parser.parse_argv(list(self.core.unparsed)))[-1]
        except ParseError as problem:  # a flag that waits for its value, mostly
            return problem.context or self.initial_context

    def _named(self) -> Iterator[ParserContext]:
        """Yield the tasks on the line; working out the flags of all of them takes its time."""
        words = set(self.before)
        for name, aliases in self.collection.task_names.items():
            if words & {name, *aliases}:
                arguments = self.collection[name].get_arguments()
                yield ParserContext(name=name, aliases=aliases, args=arguments)

    def _values(self, context: ParserContext, flag: Argument) -> Iterable[str]:
        task = self.collection[context.name] if context.name else None
        name = str(flag.name).strip("_")
        if not isinstance(task, StackTask):
            return ()
        source = BY_TASK.get((task.name, name)) or BY_FLAG.get(name)
        if source is None:
            return ()
        from invoke_stack.completion import values

        if source in ALWAYS:
            return tuple(getattr(values, source)())
        return tuple(getattr(values, source)(self._project(context)))

    def _project(self, context: ParserContext) -> Project:
        from invoke_stack.tasks._session import Session

        common = {str(name): each.value for name, each in context.args.items()}
        return Session.open(Context(self.config), as_json=False).project(common)


if __name__ == "__main__":
    main(sys.argv[1:])

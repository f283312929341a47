"""What every task shares: flags, the project, the console, and how errors end a task."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import ParseError
from invoke.parser.argument import Argument
from invoke.tasks import Task

if TYPE_CHECKING:
    from invoke.context import Context

    from invoke_stack.console import Console
    from invoke_stack.project import Project

COMMON_HELP = {
    "dev": "Development (the default).",
    "test": "Tests.",
    "staging": "Staging.",
    "prod": "Production.",
    "mode": "A mode of the project's own, or base.",
    "set": "KEY=VALUE above every env file; repeat for more.",
    "json": "Print one JSON document.",
    "yes": "Do not ask.",
}
LONGEST_S = 10**9
SHORT = {"service": "s", "follow": "f", "key": "k", "command": "c", "rule": "r"}


class Flag(Argument):
    """A flag that is cheap to copy.

    Invoke's parser copies every flag of every task deeply, on `--list` too; with the mode
    flags on each task that alone would cost more than everything else of ours.
    """

    @classmethod
    def of(cls, plain: Argument) -> Flag:
        """Return the same flag as one of ours."""
        flag = cls.__new__(cls)
        flag.__dict__.update(vars(plain))
        if plain.kind is list:  # else Invoke lets a repeatable flag pass that has no value
            flag.raw_value = None
        return flag

    def __repr__(self) -> str:
        # What Invoke's own messages call a flag.
        return f"--{self.names[0]}"

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take the value; one that is no number is a mistake of usage, not a crash."""
        try:
            super().set_value(value, cast)
        except ValueError:
            raise ParseError(f"--{self.name} expects a number, not {value!r}") from None

    def __deepcopy__(self, memo: dict[int, Any]) -> Flag:
        flag = self.of(self)
        value = flag.__dict__.get("_value")
        if isinstance(value, list):  # what a repeated flag collects
            flag.__dict__["_value"] = value[:]
        return flag


class StackTask(Task):  # type: ignore[type-arg]
    """A task whose flags are its own function's and the common ones.

    Short flags are chosen by name, not by the order of the parameters. What its flags are is
    worked out when Invoke asks, not when the module is loaded.
    """

    def __init__(self, own: Callable[..., None], extra: Mapping[str, Any], **options: Any) -> None:
        self._own = own
        self._extra = extra
        super().__init__(_body(own, extra), positional=(), auto_shortflags=False, **options)

    def argspec(self, body: Callable[..., Any]) -> inspect.Signature:  # noqa: ARG002 - Invoke passes it
        """Return the flags that Invoke sees: the function's own, then the common ones."""
        own = list(inspect.signature(self._own).parameters.values())[1:]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        common = [inspect.Parameter(key, kind, default=value) for key, value in self._extra.items()]
        return inspect.Signature([*own, *common])

    def arg_opts(self, name: str, default: Any, taken_names: Any) -> dict[str, Any]:
        """Return Invoke's options for one flag."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        if name in SHORT:
            options["names"] = (*options.pop("names", (name,))[:1], SHORT[name])
        return options

    def __deepcopy__(self, memo: dict[int, Any]) -> StackTask:
        # For the same reason as `Flag`: loading a namespace copies each task of it deeply.
        clone = type(self).__new__(type(self))
        clone.__dict__.update(vars(self))
        return clone

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the task's flags; none for a list of tasks, which shows none."""
        if _lists(sys.argv):
            return []
        texts = dict(self.help)
        flags: list[Argument] = [
            Flag.of(each) for each in super().get_arguments(ignore_unknown_help)
        ]
        self.help = texts  # Invoke takes each text out, so a second call would find none
        return flags


def _lists(argv: Sequence[str]) -> bool:
    """Return whether this is `inv --list`: a task named behind it does not run."""
    program, option = [*argv, "", ""][:2]
    return Path(program).stem in {"inv", "invoke"} and (
        option in {"-l", "--list"} or option.startswith("--list=")
    )


class Run:
    """One running task: the project, the console and the flags every task has."""

    def __init__(self, project: Project, console: Console, *, json: bool, yes: bool) -> None:
        self.project = project
        self.console = console
        self.json = json
        self.yes = yes

    def end(self) -> None:
        """Print the plan of a dry run as its document, where the task printed none."""
        if self.json and self.project.dry and not self.console.documented:
            self.console.document({"dry": True, "plan": self.console.planned})

    def confirm(self, question: str, word: str = "") -> None:
        """Ask, unless `--yes` was given; a dry run asks nothing.

        With a ``word`` the user has to type it, and `--yes` is not enough.
        """
        if self.project.dry:
            return
        if word:
            self.console.confirm_word(question, word)
        else:
            self.console.confirm(question, yes=self.yes)


def require_seconds(timeout: int) -> None:
    """Require a `--timeout` that some time can pass in.

    Raises:
        UsageError: it is negative, or longer than anybody lives.
    """
    from invoke_stack.errors import UsageError

    if not 0 <= timeout <= LONGEST_S:
        raise UsageError(
            "--timeout", f"expected 0 to {LONGEST_S} seconds", hint="for example: --timeout 60"
        )


def stack_task(  # noqa: PLR0913 - the properties of a task, by keyword
    *,
    modes: bool = True,
    json: bool = False,
    yes: bool = False,
    name: str | None = None,
    help: Mapping[str, str] | None = None,  # noqa: A002 - Invoke's own word
    iterable: tuple[str, ...] = (),
) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that makes a task of a function taking a `Run` and its own flags.

    Args:
        modes: add the mode flags and `--set`.
        json: add `--json`.
        yes: add `--yes`.
        name: the task's name where Python reserves it.
        help: help texts of the function's own flags.
        iterable: flags that may be repeated.
    """
    extra: dict[str, Any] = {}
    if modes:
        extra |= dict.fromkeys(("dev", "test", "staging", "prod"), False)
        extra |= {"mode": "", "set": None}
    extra |= {"json": False} if json else {}
    extra |= {"yes": False} if yes else {}

    def decorate(own: Callable[..., None]) -> Any:
        texts = {key: COMMON_HELP[key] for key in extra} | dict(help or {})
        repeated = [*iterable, *(["set"] if modes else [])]
        return StackTask(own, extra, name=name, help=texts, iterable=repeated)

    return decorate


def _body(own: Callable[..., None], extra: Mapping[str, Any]) -> Callable[..., None]:
    """Return what Invoke calls: the function in a `Run`, with the common flags taken out."""

    @functools.wraps(own)
    def call(c: Context, **flags: Any) -> None:
        common = {key: flags.pop(key, default) for key, default in extra.items()}
        with running(c, common) as run:
            own(run, **flags)

    return call


def _leave_memory() -> None:
    """Spare the interpreter its last search for garbage: 50 ms for what the system takes anyway."""
    import gc

    if hasattr(gc, "freeze"):
        gc.freeze()


@contextmanager
def running(c: Context, common: Mapping[str, Any]) -> Iterator[Run]:
    """Yield the task's `Run`; print errors once and turn them into the exit code."""
    from invoke.exceptions import Exit

    from invoke_stack.tasks import _session

    session = _session.Session.open(c, as_json=bool(common.get("json")))
    with _session.termination():
        try:
            run = Run(
                session.project(common),
                session.console,
                json=bool(common.get("json")),
                yes=bool(common.get("yes")),
            )
            yield run
            run.end()
        except Exit:
            raise
        except BaseException as problem:  # noqa: BLE001 - the one place where errors end
            raise Exit(code=session.failed(problem)) from None
        finally:
            session.console.finish()
            _leave_memory()

"""Opening a project for a task, and ending the task when something goes wrong."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from invoke.context import Context

from invoke_stack import files, rights
from invoke_stack.console import Console
from invoke_stack.errors import ExitCode, StackError, UsageError
from invoke_stack.modes import FLAGS
from invoke_stack.process import Command, SystemRunner, Terminated
from invoke_stack.project import Project, Secrets
from invoke_stack.settings import Settings, Source, from_environ, load

TASK_FILES = ("tasks.py", "tasks/__init__.py")
OF_THE_MACHINE = (*rights.REFUSED, errno.ENOSPC)
"""What the system refuses for reasons that are neither ours nor a bug."""


class Session:
    """What is known before the flags are read: where we are and where output goes."""

    def __init__(self, c: Context, console: Console, secrets: Secrets) -> None:
        self.console = console
        self._c = c
        self._secrets = secrets
        self._root = find_root(c)

    @classmethod
    def open(cls, c: Context, *, as_json: bool) -> Session:
        """Return the session of one task run."""
        secrets = Secrets()
        environ = dict(os.environ)  # noqa: TID251 - the one place where it is read
        # A closed stream (`>&-`, a service) is None; what goes there is lost, as it was asked for.
        out, err = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
        console = Console(out, err, environ=environ, redact=secrets.hide, json=as_json)
        return cls(c, console, secrets)

    def project(self, common: Mapping[str, Any]) -> Project:
        """Return the project that the flags describe.

        Raises:
            UsageError: contradicting flags, an unknown setting.
        """
        environ = dict(os.environ)  # noqa: TID251 - the one place where it is read
        core = self._c.config.get("run", {})
        runner = SystemRunner(environ, dry=bool(core.get("dry")), echo=self._echo(core))
        for where, key in _misspelt(self._c):
            self.console.warn(f"{where}: {key}: nothing reads it", "did you mean stack?")
        return Project(
            root=self._root,
            settings=self._settings(environ),
            runner=runner,
            environ=environ,
            mode_flag=mode_flag(common),
            overrides=assignments(common.get("set") or ()),
            secrets=self._secrets,
        )

    def failed(self, problem: BaseException) -> int:
        """Print what went wrong and return the exit code."""
        if isinstance(problem, StackError):
            self.console.error(problem)
            return int(problem.code)
        if isinstance(problem, KeyboardInterrupt):
            self.console.note("interrupted")
            ended = isinstance(problem, Terminated)
            return int(ExitCode.TERMINATED if ended else ExitCode.INTERRUPTED)
        if isinstance(problem, BrokenPipeError):
            return int(ExitCode.DONE)
        if isinstance(problem, OSError) and problem.errno in OF_THE_MACHINE:
            error = of_the_machine(problem)
            self.console.error(error)
            return int(error.code)
        if isinstance(problem, SystemExit):
            return int(problem.code or 0)
        return self._bug(problem)

    def _bug(self, problem: BaseException) -> int:
        """Write the traceback of an unexpected error to a file, without secrets."""
        text = self._secrets.hide("".join(traceback.format_exception(problem)))
        path = self._root / ".invoke-stack" / f"report-{int(time.time())}.txt"
        hint = "please report it with the command you ran"
        try:
            files.state_folder(self._root)
            files.write(path, text)
            hint = f"please report it with {path}"
        except StackError:
            pass
        kind = type(problem).__name__
        self.console.error(StackError("invoke_stack", f"unexpected error ({kind})", hint=hint))
        return int(ExitCode.FAILED)

    def _settings(self, environ: Mapping[str, str]) -> Settings:
        return load([*_sources(self._c), *from_environ(environ)])

    def _echo(self, core: Mapping[str, Any]) -> Any:
        dry, always = bool(core.get("dry")), bool(core.get("echo"))

        def echo(command: Command) -> None:
            if always or (dry and command.effect == "write"):
                self.console.echo(str(command))

        return echo


def find_root(c: Context) -> Path:
    """Return the folder that holds the project's `tasks.py`: the one Invoke loaded."""
    # Invoke keeps the folder only under a private name; without it we look where it looked.
    prefix = getattr(c.config, "_project_prefix", None)
    if prefix:
        return Path(prefix).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / name).is_file() for name in TASK_FILES):
            return folder
    return here


def _sources(c: Context) -> Iterator[Source]:
    """Yield the settings of `namespace({...})` and of Invoke's files, lowest rank first."""
    ours = c.config.get("invoke_stack", {}).get("settings") or [{}]
    yield Source("namespace({...}) in tasks.py", _plain(ours[0]))
    for level in ("system", "user", "project", "runtime"):
        values = getattr(c.config, f"_{level}", None) or {}
        path = getattr(c.config, f"_{level}_path", None) or f"invoke's {level} file"
        if "stack" in values:
            where = Path(str(path))
            name = where.name if level == "project" else str(path)
            # `stack:` with every line below it commented out says nothing.
            yield Source(name, {} if values["stack"] is None else _plain(values["stack"]))


def _misspelt(c: Context) -> Iterator[tuple[str, str]]:
    """Yield keys of Invoke's files that look like ours where ours is not."""
    for level in ("user", "project", "runtime"):
        values = getattr(c.config, f"_{level}", None) or {}
        if values and "stack" not in values:
            import difflib

            where = Path(str(getattr(c.config, f"_{level}_path", None) or level)).name
            keys = [str(each) for each in values]
            yield from ((where, key) for key in difflib.get_close_matches("stack", keys, 1, 0.8))


def _plain(value: Any) -> Any:
    """Return nested mappings as plain dictionaries, with the keys as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value


def mode_flag(common: Mapping[str, Any]) -> str:
    """Return the mode that the flags name, or "".

    Raises:
        UsageError: more than one was given.
    """
    given = [name for name in FLAGS if common.get(name)]
    given += [str(common["mode"])] if common.get("mode") else []
    if len(given) > 1:
        flags = " and ".join(f"--{name}" for name in given)
        raise UsageError(flags, "one mode at a time", hint="leave all but one away")
    return given[0] if given else ""


def assignments(words: Any) -> dict[str, str]:
    """Return `KEY=VALUE` words as a mapping.

    Raises:
        UsageError: a word without `=`; the word itself is not shown, it may be a secret.
    """
    pairs = {}
    for word in words:
        key, equals, value = str(word).partition("=")
        if not equals or not key:
            raise UsageError("--set", "expected KEY=VALUE", hint="for example: --set WEB_PORT=3005")
        pairs[key] = value
    return pairs


def of_the_machine(problem: OSError) -> StackError:
    """Return the error for a file or stream that the system refuses."""
    where = os.fsdecode(problem.filename) if problem.filename else "output"
    if problem.errno == errno.ENOSPC:
        return StackError(where, "cannot be written: no space left", hint="make room there")
    reason = (problem.strerror or "refused").lower()
    hint = "check where it goes: ls -l /dev/stdout"
    if problem.filename:
        hint = rights.way_out(Path(os.fsdecode(problem.filename)), problem)
    return UsageError(where, reason, hint=hint)


@contextmanager
def termination() -> Iterator[None]:
    """Turn SIGTERM (and a closed terminal) into an exception, so that cleaning up happens."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    try:
        before = {number: signal.signal(number, end) for number in numbers}
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

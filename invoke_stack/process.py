"""The one place that starts programs.

A `Command` is plain data built by domain code; a `Runner` runs it. Programs are argument
tuples, never shell text. Every child that we do not hand the terminal to lives in a process
group of its own, so that ending a run ends everything it started.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Literal, Protocol

from invoke_stack.errors import StackError, UsageError

GRACE_S = 3.0
"""How long a child may take to end after SIGINT, and again after SIGTERM, in seconds."""

POLL_S = 0.02
"""How often a process group that was told to end is looked at, in seconds."""

TAIL_LINES = 400
"""Lines of output that a background program keeps for an error message."""


class Terminated(KeyboardInterrupt):
    """SIGTERM reached us; raised by the task layer's handler, cleaned up after like ^C."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        argv: the program and its arguments; shown in plans and visible to `ps`.
        env: added to the runner's environment. Secrets go here and never into ``argv``.
        cwd: the working directory; the caller's own when absent.
        effect: a dry run executes "read" commands and only prints "write" ones.
        grace_s: how long it may go on after ^C once attached; the runner's own when absent.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    effect: Literal["read", "write"] = "write"
    grace_s: float | None = None

    def __str__(self) -> str:
        return shlex.join(self.argv)

    def add(self, *words: str) -> Command:
        """Return the same command with more arguments."""
        return replace(self, argv=(*self.argv, *words))

    def with_env(self, **values: str) -> Command:
        """Return the same command with more environment."""
        return replace(self, env={**self.env, **values})


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended and what it said."""

    command: Command
    code: int
    stdout: str = ""
    stderr: str = ""

    def require(self, where: str, message: str, hint: str = "") -> Completed:
        """Return itself, or raise a `StackError` with the program's last words."""
        if self.code == 0:
            return self
        words = tuple((self.stderr.strip() or self.stdout.strip()).splitlines()[-8:])
        raise StackError(where, message, hint=hint, detail=words)


class Runner(Protocol):
    """What domain code may ask of the machine."""

    dry: bool

    def capture(
        self, command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None
    ) -> Completed:
        """Run to the end and return the output; a non-zero exit is not an error here."""

    def attach(self, command: Command) -> int:
        """Run with the caller's terminal and return the exit code."""

    def start(
        self, command: Command, *, binary: bool = False, stdin: Path | None = None
    ) -> contextlib.AbstractContextManager[Running]:
        """Run beside us, fed with a file or nothing; leaving the block ends what still runs."""


class Running:
    """A program that runs beside us.

    Text output of both streams is collected line by line. With ``binary`` the caller reads
    ``stdout`` itself and only stderr is collected.
    """

    def __init__(
        self,
        command: Command,
        child: subprocess.Popen[bytes],
        *,
        binary: bool,
        grace_s: float = GRACE_S,
    ) -> None:
        self.command = command
        self._grace_s = grace_s
        self.stdout = child.stdout
        self._child = child
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._fresh: deque[str] = deque()
        streams = [child.stderr] if binary else [child.stdout]
        self._drains = [self._drain(stream) for stream in streams if stream is not None]

    def _drain(self, stream: IO[bytes]) -> threading.Thread:
        def pump() -> None:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self._lines.append(line)
                self._fresh.append(line)

        thread = threading.Thread(target=pump, daemon=True)
        thread.start()
        return thread

    @property
    def pid(self) -> int:
        """The operating system's number of the program."""
        return self._child.pid

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines of output, oldest first."""
        return tuple(self._lines)

    def fresh(self) -> Iterator[str]:
        """Yield the lines that arrived since the last call."""
        while self._fresh:
            yield self._fresh.popleft()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._child.poll()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and for all output; return the exit code.

        Raises:
            TimeoutError: it still runs after ``timeout_s`` seconds.
        """
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(str(self.command.argv[0])) from None
        for thread in self._drains:
            thread.join(GRACE_S)
        return code

    def stop(self) -> None:
        """End the program and everything it started: interrupt, terminate, kill."""
        _end(self._child, self._grace_s)
        for thread in self._drains:
            thread.join(self._grace_s)

    def close(self) -> None:
        """Close the streams that nobody reads any more.

        What left the process group may still hold the other end: closing under the thread
        that reads it would wait for that thread for ever.
        """
        if not any(thread.is_alive() for thread in self._drains):
            _close(self._child)


class SystemRunner:
    """Runs commands on this machine.

    Args:
        environ: the environment that children start from.
        dry: print "write" commands through ``echo`` instead of running them.
        echo: called with each command line before it runs (already redacted by the caller).
        grace_s: how long a child may take to end after each polite signal.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        dry: bool = False,
        echo: Callable[[Command], None] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.environ = environ
        self.dry = dry
        self._echo = echo
        self._grace_s = grace_s

    def capture(
        self, command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None
    ) -> Completed:
        """Run to the end and return the output."""
        if self._announce(command):
            return Completed(command, 0)
        feed = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        child = self._popen(command, stdin=feed, stderr=subprocess.PIPE)
        try:
            out, err = child.communicate(stdin, timeout_s)
        except BaseException as problem:
            _end(child, self._grace_s)
            _close(child)
            if isinstance(problem, subprocess.TimeoutExpired):
                message = f"did not answer within {timeout_s:g} s"
                raise StackError(command.argv[0], message) from None
            raise
        return Completed(
            command, child.returncode, out.decode(errors="replace"), err.decode(errors="replace")
        )

    def attach(self, command: Command) -> int:
        """Run with the caller's terminal and return the exit code.

        Raises:
            KeyboardInterrupt: ^C or SIGTERM ended it; raised once the child has ended.
        """
        if self._announce(command):
            return 0
        child = self._spawn(command, {})
        try:
            return child.wait()
        except KeyboardInterrupt as stop:
            # ^C in a terminal reaches the child too and it may take its time; SIGTERM does not.
            if isinstance(stop, Terminated):
                child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                child.wait(self._grace_s if command.grace_s is None else command.grace_s)
            if child.poll() is None:
                child.kill()
                child.wait()
            raise

    @contextlib.contextmanager
    def start(
        self, command: Command, *, binary: bool = False, stdin: Path | None = None
    ) -> Iterator[Running]:
        """Run beside us, fed with a file or nothing; leaving the block ends what still runs."""
        if self._announce(command):
            command = Command(_NOTHING)
        stderr = subprocess.PIPE if binary else subprocess.STDOUT
        with Path(os.devnull).open("rb") if stdin is None else stdin.open("rb") as feed:
            child = self._popen(command, stdin=feed.fileno(), stderr=stderr)
        running = Running(command, child, binary=binary, grace_s=self._grace_s)
        try:
            yield running
        finally:
            running.stop()
            running.close()

    def _announce(self, command: Command) -> bool:
        """Echo the command; return whether a dry run ends here."""
        skipped = self.dry and command.effect == "write"
        if self._echo is not None:
            self._echo(command)
        return skipped

    def _popen(self, command: Command, *, stdin: int, stderr: int) -> subprocess.Popen[bytes]:
        own_group = (
            {"start_new_session": True}
            if os.name == "posix"
            else {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
        )
        streams = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": stderr}
        return self._spawn(command, {**streams, **own_group})

    def _spawn(self, command: Command, options: dict[str, int]) -> subprocess.Popen[bytes]:
        environ = {**self.environ, **command.env}
        if command.cwd is not None and not command.cwd.is_dir():
            raise UsageError(str(command.cwd), "no such folder")
        program = shutil.which(command.argv[0], path=environ.get("PATH"))
        if program is None:
            raise UsageError(
                command.argv[0],
                "not installed or not on PATH",
                hint=f"install {command.argv[0]}, then run the task again",
            )
        try:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                (program, *command.argv[1:]), env=environ, cwd=command.cwd, **options
            )
        except OSError as problem:
            raise StackError(
                command.argv[0], f"could not be started: {problem.strerror}"
            ) from problem


# What a dry run starts in place of a program that would run beside us.
_NOTHING = (sys.executable, "-c", "")


def _end(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """End a child and its whole process group, politely first.

    The group outlives a child that did not wait for its own children.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if not _alive(child):
            return
        _signal_group(child, number)
        deadline = time.monotonic() + grace_s
        while _alive(child) and time.monotonic() < deadline:
            time.sleep(POLL_S)
    if _alive(child):
        _signal_group(child, getattr(signal, "SIGKILL", signal.SIGTERM))
        child.wait()


def _alive(child: subprocess.Popen[bytes]) -> bool:
    if child.poll() is None:
        return True
    if os.name != "posix":
        return False
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _close(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            # What was still to be fed to a program that has ended is of no use any more.
            with contextlib.suppress(OSError):
                stream.close()


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, number)
        elif number == signal.SIGINT:
            child.send_signal(signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined,unused-ignore]
        else:
            child.terminate()

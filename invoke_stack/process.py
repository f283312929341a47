"""The one place that starts programs.

A `Command` is plain data; a `Runner` runs it. Programs are argument tuples, never shell text.
Every child that we do not hand the terminal to lives in a process group of its own, so that
ending a run ends everything it started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from invoke_stack import rights, starting
from invoke_stack.children import GRACE_S, Running, as_account, close, end
from invoke_stack.command import Command, Completed
from invoke_stack.errors import SlowProgramError

__all__ = ["Command", "Completed", "Runner", "Running", "SystemRunner", "Terminated"]


class Terminated(KeyboardInterrupt):
    """SIGTERM reached us; raised by the task layer's handler, cleaned up after like ^C."""


class Runner(Protocol):
    """What domain code may ask of the machine."""

    dry: bool

    def capture(
        self, command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None
    ) -> Completed:
        """Run to the end and return the output; a non-zero exit is not an error here."""

    def beside(
        self, command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None
    ) -> contextlib.AbstractContextManager[Callable[[], Completed]]:
        """Run beside us; the call that is yielded waits for the end and returns the output."""

    def attach(self, command: Command) -> int:
        """Run with the caller's terminal and return the exit code."""

    def start(
        self,
        command: Command,
        *,
        binary: bool = False,
        stdin: Path | None = None,
        fed: bool = False,
    ) -> contextlib.AbstractContextManager[Running]:
        """Run beside us, fed with a file, by us or with nothing; leaving the block ends it."""

    def detach(self, command: Command, log: Path, *, stdin: bytes = b"") -> int:
        """Start what outlives us, its output appended to a file; return its process number."""


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
            end(child, self._grace_s)
            close(child)
            if isinstance(problem, subprocess.TimeoutExpired):
                raise _slow(command, timeout_s) from None
            raise
        return _completed(command, child, out, err)

    @contextlib.contextmanager
    def beside(
        self, command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None
    ) -> Iterator[Callable[[], Completed]]:
        """Run beside us; the call that is yielded waits for the end and returns the output.

        What has not ended when the block is left is ended then.
        """
        if self._announce(command):
            yield lambda: Completed(command, 0)
            return
        feed = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        child = self._popen(command, stdin=feed, stderr=subprocess.PIPE)
        said: list[tuple[bytes, bytes]] = []
        thread = threading.Thread(target=lambda: said.append(child.communicate(stdin)), daemon=True)
        thread.start()

        def taken() -> Completed:
            thread.join(timeout_s)
            if not said:
                raise _slow(command, timeout_s)
            return _completed(command, child, *said[0])

        try:
            yield taken
        finally:
            end(child, self._grace_s)
            thread.join(self._grace_s)

    def attach(self, command: Command) -> int:
        """Run with the caller's terminal and return the exit code.

        Raises:
            KeyboardInterrupt: ^C or SIGTERM ended it; raised once the child has ended.
        """
        if self._announce(command):
            return 0
        child = self._spawn(command, {})
        try:
            with _undisturbed() if command.interactive else contextlib.nullcontext():
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
        self,
        command: Command,
        *,
        binary: bool = False,
        stdin: Path | None = None,
        fed: bool = False,
    ) -> Iterator[Running]:
        """Run beside us, fed with a file, by us or with nothing; leaving the block ends it.

        With ``fed`` the caller hands the input over with `Running.feed`.
        """
        if self._announce(command):
            command = Command(_NOTHING)
        stderr = subprocess.PIPE if binary else subprocess.STDOUT
        with (stdin or Path(os.devnull)).open("rb") as source:
            number = subprocess.PIPE if fed else source.fileno()
            child = self._popen(command, stdin=number, stderr=stderr)
        running = Running(command, child, binary=binary, grace_s=self._grace_s)
        try:
            yield running
        finally:
            running.stop()
            running.close()

    def detach(self, command: Command, log: Path, *, stdin: bytes = b"") -> int:
        """Start what outlives us, its output appended to a file; return its process number.

        It has a session of its own, so no signal of our terminal reaches it. A dry run starts
        nothing and returns 0.
        """
        if self._announce(command):
            return 0
        with os.fdopen(os.open(log, _APPEND, 0o600), "wb") as stream:
            number = stream.fileno()
            rights.hand_over(log, number)
            child = self._popen(command, stdin=subprocess.PIPE, stdout=number, stderr=number)
        if child.stdin is not None:
            with contextlib.suppress(OSError):  # it may have ended already
                child.stdin.write(stdin)
                child.stdin.close()
        # Where we go on for long, as in a test run, it must not stay behind as a zombie.
        threading.Thread(target=child.wait, daemon=True).start()
        return child.pid

    def _announce(self, command: Command) -> bool:
        """Echo the command; return whether a dry run ends here."""
        skipped = self.dry and command.effect == "write"
        if self._echo is not None:
            self._echo(command)
        return skipped

    def _popen(
        self, command: Command, *, stdin: int, stderr: int, stdout: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        own_group = (
            {"start_new_session": True}
            if os.name == "posix"
            else {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
        )
        streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        return self._spawn(command, {**streams, **own_group})

    def _spawn(self, command: Command, options: dict[str, Any]) -> subprocess.Popen[bytes]:
        environ = starting.environment(self.environ, command)
        program = starting.program(command, environ)
        with as_account(command) as (words, extra):
            try:
                return subprocess.Popen(
                    (program, *words),
                    env=starting.encoded(environ),
                    cwd=command.cwd,
                    **options,
                    **extra,
                )
            except OSError as problem:
                raise starting.unstarted(command, program, problem) from problem


def _completed(
    command: Command, child: subprocess.Popen[bytes], out: bytes, err: bytes
) -> Completed:
    texts = (each.decode(errors="replace") for each in (out, err))
    return Completed(command, child.returncode, *texts)


def _slow(command: Command, timeout_s: float | None) -> SlowProgramError:
    text = f"did not answer within {timeout_s or 0:g} s"
    hint = f"see what it waits for: {command.argv[0]} version"
    return SlowProgramError(command.argv[0], text, hint=hint)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Leave ^C to the child that has the terminal: there it cancels a query, not the program."""
    try:
        before = signal.signal(signal.SIGINT, lambda *_: None)
    except ValueError:  # not the main thread, which is the one that ^C reaches
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
# What a dry run starts in place of a program that would run beside us.
_NOTHING = (sys.executable, "-c", "")

"""Child processes: as whom they start, what they say, ending them with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from invoke_stack.command import FOLDER, Command

GRACE_S = 3.0
"""How long a child may take to end after SIGINT, and again after SIGTERM, in seconds."""

POLL_S = 0.02
"""How often a process group that was told to end is looked at, in seconds."""

TAIL_LINES = 400
"""Lines of output that a background program keeps for an error message."""


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
        self._hungry = child.stdin is not None
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

    def said(self, word: str) -> bool:
        """Return whether a word is in one of the last lines.

        Not alone on its line: `docker exec` hands two streams on in pieces, so that a line of one
        can stand inside a line of the other.
        """
        return any(word in line for line in self.tail)

    def fresh(self) -> Iterator[str]:
        """Yield the lines that arrived since the last call."""
        while self._fresh:
            yield self._fresh.popleft()

    def feed(self, part: bytes | memoryview) -> None:
        """Hand over a piece of its input; a program that reads no more gets nothing."""
        if not self._hungry or self._child.stdin is None:
            return
        try:
            self._child.stdin.write(part)
        except (OSError, ValueError):  # EPIPE, on Windows EINVAL; or closed with the program
            self._hungry = False

    def fed(self) -> None:
        """Say that its input ends here."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._child.poll()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and for all output; return the exit code.

        Raises:
            TimeoutError: it still runs after ``timeout_s`` seconds.
        """
        left_s = timeout_s
        if timeout_s is not None:
            # Its streams close as it ends; a wait with a limit looks for that only now and then.
            began = time.monotonic()
            for thread in self._drains:
                thread.join(timeout_s)
            left_s = max(0.0, began + timeout_s - time.monotonic())
        try:
            code = self._child.wait(left_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(str(self.command.argv[0])) from None
        for thread in self._drains:
            thread.join(GRACE_S)
        return code

    def stop(self) -> None:
        """End the program and everything it started: interrupt, terminate, kill."""
        end(self._child, self._grace_s)
        for thread in self._drains:
            thread.join(self._grace_s)

    def close(self) -> None:
        """Close the streams that nobody reads any more.

        What left the process group may still hold the other end: closing under the thread
        that reads it would wait for that thread for ever.
        """
        if not any(thread.is_alive() for thread in self._drains):
            close(self._child)


def end(child: subprocess.Popen[bytes], grace_s: float) -> None:
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


@contextlib.contextmanager
def as_account(command: Command) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield a command's arguments and the options that start it as its account."""
    words, folder = command.argv[1:], command.folder
    if command.account is None:
        yield tuple(word.replace(FOLDER, str(folder)) for word in words), {}
        return
    uid, gid = command.account
    extra: dict[str, Any] = {"user": uid, "group": gid, "extra_groups": ()}
    if folder is None or not Path("/proc/self/fd").is_dir():
        yield tuple(word.replace(FOLDER, str(folder)) for word in words), extra
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Leads to the open folder itself, whatever the rights on those above it are.
        path = f"/proc/self/fd/{descriptor}"
        extra["pass_fds"] = (descriptor,)
        yield tuple(word.replace(FOLDER, path) for word in words), extra
    finally:
        os.close(descriptor)


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


def close(child: subprocess.Popen[bytes]) -> None:
    """Close what is left of a child's streams."""
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

"""Every error a user can meet, with the exit code it ends the task with.

A `StackError` reads as two lines: ``<where>: <what is wrong>`` and the next step. Domain
code raises it; the task layer prints it once and turns it into the exit code.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a task ends; the same meaning in every task."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    REFUSED = 4
    BUSY = 5
    UNREACHABLE = 6
    INTERRUPTED = 130
    TERMINATED = 143


class StackError(Exception):
    """A failure that the user can act on.

    Attributes:
        where: file:line, setting path, service or program that the message is about.
        message: what is wrong, lower case, without a full stop and without any secret.
        hint: the next step, preferably a command.
        detail: further lines to show below (log lines, a list of missing variables).
    """

    code: ExitCode = ExitCode.FAILED

    def __init__(
        self, where: str, message: str, *, hint: str = "", detail: tuple[str, ...] = ()
    ) -> None:
        super().__init__(where, message)
        self.where = where
        self.message = message
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class UsageError(StackError):
    """Settings, flags, files or tools need the user's hand first."""

    code = ExitCode.USAGE


class MissingProgramError(UsageError):
    """A program, or a plugin of one, is not installed; some things can be done without."""


class RefusedError(StackError):
    """A safety rail stopped a destructive step."""

    code = ExitCode.REFUSED


class BusyError(StackError):
    """Another run holds the lock."""

    code = ExitCode.BUSY


class UnreachableError(StackError):
    """Something did not answer or did not become ready in time."""

    code = ExitCode.UNREACHABLE


class SlowProgramError(StackError):
    """A program gave no answer in time; one that only looked may look again."""

    code = ExitCode.UNREACHABLE


class InterruptedRunError(StackError):
    """The user (SIGINT, 130) or the system (SIGTERM, 143) ended the run."""

    code = ExitCode.INTERRUPTED

    def __init__(
        self, where: str, message: str = "interrupted", *, terminated: bool = False
    ) -> None:
        super().__init__(where, message)
        if terminated:
            self.code = ExitCode.TERMINATED

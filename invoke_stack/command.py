"""A program to run and how it ended: plain data, built and read by domain code."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from invoke_stack.errors import StackError

FOLDER = "{folder}"
"""The word of a command line that becomes the path of the folder that is handed over."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        argv: the program and its arguments; shown in plans and visible to `ps`.
        env: added to the runner's environment. Secrets go here and never into ``argv``.
        cwd: the working directory; the caller's own when absent.
        effect: a dry run executes "read" commands and only prints "write" ones.
        without: shell patterns for the variables of the caller that it must not see.
        programs: a folder that is looked in before PATH, also by what the program starts.
        grace_s: how long it may go on after ^C once attached; the runner's own when absent.
        interactive: once attached, ^C is its own affair, as in a database's shell.
        account: the user and group numbers to run as, where root must not; the caller's own.
        folder: handed over open, because the account may not be let into the folders above it;
            `FOLDER` in ``argv`` stands for it.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    effect: Literal["read", "write"] = "write"
    grace_s: float | None = None
    without: tuple[str, ...] = ()
    programs: Path | None = None
    interactive: bool = False
    account: tuple[int, int] | None = None
    folder: Path | None = None

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

"""What a program needs to start, and why one does not."""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from invoke_stack.command import Command
from invoke_stack.errors import MissingProgramError, StackError, UsageError


def environment(outer: Mapping[str, str], command: Command) -> dict[str, str]:
    """Return the environment that a command gets, made from the caller's."""
    environ = {**_seen(outer, command.without), **command.env}
    if command.programs is not None:
        path = environ.get("PATH", os.defpath)
        environ["PATH"] = os.pathsep.join([str(command.programs), path])
    return environ


def program(command: Command, environ: Mapping[str, str]) -> str:
    """Return the path of a command's program.

    Raises:
        UsageError: its working directory is not there.
        MissingProgramError: it is not on PATH.
    """
    if command.cwd is not None and not command.cwd.is_dir():
        raise UsageError(str(command.cwd), "no such folder")
    name = command.argv[0]
    found = shutil.which(name, path=environ.get("PATH"))
    if found is None:
        hint = f"install {name}{_home(name)}, then run the task again"
        raise MissingProgramError(name, "not installed or not on PATH", hint=hint)
    return found


def encoded(environ: Mapping[str, str]) -> Mapping[Any, Any]:
    """Return an environment that any locale can hand on: Python's own encoding may be ASCII."""
    if os.name != "posix":
        return environ
    return {
        key.encode("utf-8", "surrogateescape"): value.encode("utf-8", "surrogateescape")
        for key, value in environ.items()
    }


def unstarted(command: Command, program: str, problem: OSError) -> StackError:
    """Return the error for a program that is there and does not start."""
    hint = f"{program} is no program for this machine: install {command.argv[0]} again"
    if problem.errno == errno.E2BIG:
        hint = "the env files are too large for a program's environment: keep long values in files"
    message = f"could not be started: {problem.strerror}"
    return StackError(command.argv[0], message, hint=hint)


def _home(program: str) -> str:
    """Return where a program that a project cannot do without comes from, for a message."""
    homes = {
        "docker": "https://docs.docker.com/get-docker/",
        **dict.fromkeys(("node", "npm", "npx"), "https://nodejs.org/en/download"),
    }
    return f" ({homes[program]})" if program in homes else ""


def _seen(environ: Mapping[str, str], without: Sequence[str]) -> Mapping[str, str]:
    if not without:
        return environ
    hidden = {key for key in environ for each in without if fnmatch.fnmatchcase(key, each)}
    return {key: value for key, value in environ.items() if key not in hidden}

"""The line to write where one command has to run before what starts the app."""

from __future__ import annotations

import json
import re
import shlex

from invoke_stack.parity.declaration import Declaration, Process
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rules import sides

_PLAIN = re.compile(r"(?!(?:\S*/)?(?:ba)?sh )[\w@%+=:,./ -]+")
"""A command whose words mean the same in a shell as without one."""
_BY_SHELL = re.compile(r"exec |\w+=")


def line(facts: Facts, command: str) -> str:
    """Return the line of production's declaration that migrates before the app starts."""
    if facts.production.target != "render":
        return composed(facts.production, command)
    if not all(each.plan.value == "free" for each in sides.apps(facts.production)):
        return f"preDeployCommand: {command}"
    started = _started(facts.production)
    if started is None or facts.production.processes[started[0]].runtime.value == "docker":
        return f"before what starts the app: {command}"
    return f"startCommand: {_chained(command, started[1])}"


def composed(side: Declaration, command: str) -> str:
    """Return the line of a compose file that migrates first, or in words what to add."""
    started = _started(side)
    if started is None:
        return f"before what starts the app: {command}"
    words = json.dumps(["sh", "-c", _chained(command, started[1])])
    return f"command: {words}"


def _started(side: Declaration) -> tuple[str, str] | None:
    """Return the only app of a side and the text that starts it, where it can be written again."""
    found = [each for each in sides.apps(side) if each.steps_start and not each.job]
    if len(found) != 1 or len(found[0].steps_start) != 1 or found[0].entrypoint.value:
        return None
    text = found[0].command.value or _own_command(found[0])
    return (found[0].name, text) if _PLAIN.fullmatch(text) else None


def _own_command(process: Process) -> str:
    """Return the CMD of what is built, as a shell would be told it; "" below an ENTRYPOINT."""
    build = process.build
    if build is None or build.parsed is None or build.stage is None:
        return ""
    line = None if build.parsed.entrypoint(build.stage) else build.parsed.cmd(build.stage)
    if line is None or not line.exec:
        return line.script if line else ""
    inner = line.args[:2] == ("sh", "-c") and len(line.args) == len(("sh", "-c", "text"))
    return line.args[-1] if inner else shlex.join(line.args)


def _chained(command: str, start: str) -> str:
    return f"{command} && {start}" if _BY_SHELL.match(start) else f"{command} && exec {start}"

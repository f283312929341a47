"""Reads what it is sent, one input after the other; run by `test_no_hang` as a program."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import sys
from pathlib import Path

from invoke_stack.dockerfile import ignore
from invoke_stack.environment import specs, types, views
from invoke_stack.environment.dotenv import parse
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.lint import layering
from invoke_stack.environment.lint.check import check
from invoke_stack.environment.marks import marks
from invoke_stack.environment.placeholders import reason
from invoke_stack.environment.resolve import resolve
from invoke_stack.errors import StackError
from invoke_stack.modes import find
from invoke_stack.redaction import is_sensitive
from invoke_stack.scaffold import lines, urls


def resolved(data: bytes) -> None:
    """Read an env file and resolve it."""
    with contextlib.suppress(StackError):
        layer = Layer(".env", Path(".env"), parse(data, ".env"))
        found = resolve(find("dev"), [layer, layer], {"N": "p$A", "C": "$"}, {})
        found.secrets()
    marks(data.decode(errors="replace"))


def linted(data: bytes) -> None:
    """Check what readers make of a file, alone and below another."""
    checked = check(data, {"N": "p$A", "C": "$"}, lower="AB", next_app=True)
    family = layering.layered([(".env", checked), (".env.local", checked)], {})
    list(layering.issues(family, find("dev"), {}))


def made(data: bytes) -> None:
    """Take it as a template, and complete a file with it."""
    Path(sys.argv[1]).write_bytes(data)
    with contextlib.suppress(StackError):
        specs.read(Path(sys.argv[1]), ".env.example")
    text = data.decode(errors="replace")
    lines.completed(text[:100], text, {key: each.text for key, each in lines.blocks(text).items()})


def judged(data: bytes) -> None:
    """Do with a value all that the env tasks do with one."""
    text = data.decode(errors="replace")
    reason("A_SECRET", text)
    is_sensitive("A", text)
    lines.with_value(text, lambda value: value)
    urls.with_password(text, "new")
    ignore.excluded(".env", [text[:200]])
    for name in ("url", "port", "int", "number", "bool", "email", "string"):
        types.parse(name, "f:1").problem(text)
    with contextlib.suppress(StackError):
        types.parse(text, "f:1")
    with contextlib.suppress(StackError):
        views.to_stack("A_URL", text, ())


JOBS = {each.__name__: each for each in (resolved, linted, made, judged)}


def limit(seconds: float) -> None:
    """Let the system end this process after that much processor time, whatever it is doing."""
    if hasattr(signal, "ITIMER_PROF"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    for sent in sys.stdin:
        job, data, seconds = json.loads(sent)
        limit(seconds)
        JOBS[job](base64.b64decode(data))
        limit(0)
        sys.stdout.write("done\n")
        sys.stdout.flush()

"""A shell text to its commands, as far as one can tell without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>(?:(?<=\s)|(?<=^))\#[^\n]*)"
    r"|(?P<end>&&|\|\||;;?|\n|\||&(?!\d|>)|\(|\)|[{}](?=\s|;|$))"
    r"|(?P<join>\\\r?\n)|(?P<quote>'[^']*'|\"(?:\\.|[^\"\\])*\")|(?P<word>\$\([^()]*\)|\\.|.)",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_PREFIXES = frozenset({
    "exec", "env", "cross-env", "cross-env-shell", "then", "do", "else", "time", "sudo", "!", "if",
    "while", "until", "elif", "nohup", "command", "dumb-init", "tini", "--", "gosu", "su-exec",
})  # fmt: skip
_WITH_ARGUMENT = frozenset({"gosu", "su-exec"})
_CONDITIONS = frozenset({"[", "[[", "test", "fi", "done", "esac", "case", "for", "set", "echo",
                         "printf", "true", ":", "return", "shift", "local", "export", "sleep",
                         "trap", "mkdir", "chown", "chmod", "wait", "exit", "read", "unset"})  # fmt: skip
_SWALLOWS = frozenset({"true", ":", "echo", "exit 0", "printf", "warn"})
_LONGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Simple:
    """One simple command.

    Attributes:
        words: without assignments and prefixes like `exec`; () for a mere assignment.
        text: as written, on one line.
        line: counted from 0, from the start of the text.
        guarded: its failure is swallowed (`|| true`, `|| echo …`).
    """

    words: tuple[str, ...]
    text: str
    line: int
    guarded: bool = False


def commands(text: str) -> Iterator[Simple]:
    """Yield the commands of a shell text in order; conditions and output are left out."""
    parts = list(_parts(text[:_LONGEST]))
    for index, (part, line, end) in enumerate(parts):
        words = _plain(part)
        if not words or words[0] in _CONDITIONS:
            continue
        after = parts[index + 1][0].strip() if index + 1 < len(parts) else ""
        swallowed = after.startswith(tuple(_SWALLOWS)) and "exit 1" not in after
        yield Simple(words, " ".join(part.split()), line, guarded=end == "||" and swallowed)


def _parts(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the texts between the operators with their line and the operator that ends them."""
    found: list[str] = []
    line = start = 0
    for token in _TOKEN.finditer(text):
        here = token[0]
        if token["end"]:
            if "".join(found).strip():
                yield "".join(found), start, here
            found = []
        elif token["join"]:
            found.append(" ")
        elif not token["comment"]:
            if not "".join(found[-20:]).strip():
                start = line
            found.append(here)
        line += here.count("\n")
    if "".join(found).strip():
        yield "".join(found), start, ""


def _plain(part: str) -> tuple[str, ...]:
    try:
        words = shlex.split(part)
    except ValueError:
        words = part.split()
    while words and (_ASSIGNED.fullmatch(words[0]) or words[0] in _PREFIXES):
        words = words[2:] if words[0] in _WITH_ARGUMENT else words[1:]
        while words and words[0] in {"-g", "-s", "-v"}:
            words = words[1:]
    return tuple(words)

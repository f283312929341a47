"""The commands in a RUN or a script, followed through package.json scripts."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src

MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_DEPTH = 3
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*")
_VALUED = frozenset({"--filter", "-F", "--prefix", "-C", "--dir", "-w", "--workspace", "--cwd"})


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that is run, and the script lines that led to it.

    Attributes:
        folder: where it runs, from the project root.
    """

    words: tuple[str, ...]
    folder: str = "."
    via: tuple[Src, ...] = ()


def commands(script: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands of a shell text: words, without assignments and `exec`."""
    plain = re.sub(r"\\\r?\n", " ", script)
    plain = re.sub(r"(?m)(?:^|\s)#.*$", "", plain)
    for part in re.split(r"&&|\|\||;|\n|\|(?!\|)", plain):
        try:
            words = shlex.split(part.strip().strip("()"))
        except ValueError:
            words = part.split()
        while words and (_ASSIGNED.fullmatch(words[0]) or words[0] in _PREFIXES):
            words = words[1:]
        if words:
            yield tuple(words)


_PREFIXES = frozenset({"exec", "env", "cross-env", "then", "do", "else", "time", "sudo", "!", "if"})


def followed(facts: Facts, words: Sequence[str], folder: str = ".") -> Iterator[Ran]:
    """Yield a command and, when it is a package script, what that runs."""
    yield from _followed(facts, tuple(words), folder, (), _DEPTH)


def _followed(
    facts: Facts, words: tuple[str, ...], folder: str, via: tuple[Src, ...], depth: int
) -> Iterator[Ran]:
    yield Ran(words, folder, via)
    if words[:2] in {("sh", "-c"), ("bash", "-c")} and len(words) > len(("sh", "-c")):
        yield from _chain(facts, words[2], folder, via, depth)
        return
    name = script_of(words)
    package = facts.repository.packages.get(folder)
    if not name or package is None or depth == 0:
        return
    for each in (f"pre{name}", name, f"post{name}"):
        found = package.scripts.get(each)
        if found is not None and found.value:
            yield from _chain(facts, found.value, folder, (*via, found.src), depth - 1)


def _chain(facts: Facts, text: str, folder: str, via: tuple[Src, ...], depth: int) -> Iterator[Ran]:
    where = folder
    for words in commands(text):
        if words[0] == "cd" and len(words) > 1:
            where = posixpath.normpath(posixpath.join(where, words[1]))
        else:
            yield from _followed(facts, words, where, via, depth)


def script_of(words: Sequence[str]) -> str:
    """Return the package script that a command runs; "" for other commands."""
    if not words or posixpath.basename(words[0]) not in MANAGERS:
        return ""
    rest = _plain(words[1:])
    if rest[:1] in (["run"], ["run-script"]) and len(rest) > 1:
        return rest[1]
    known = {"start", "test", "build", "dev"}
    return rest[0] if rest and (rest[0] in known or words[0] != "npm") else ""


def _plain(words: Sequence[str]) -> list[str]:
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in _VALUED:
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found

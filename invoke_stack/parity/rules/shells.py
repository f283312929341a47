"""Every command on the way from a RUN or a start command through package.json scripts.

`readers.scripts` keeps what runs in the end; here the ones that lead there count, because each
of them has to be in the image.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from invoke_stack.parity.readers import shelltext
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src

MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_DEPTH = 3
_VALUED = frozenset({"--filter", "-F", "--prefix", "-C", "--dir", "-w", "--workspace", "--cwd"})
_SHELL = frozenset({("sh", "-c"), ("bash", "-c"), ("/bin/sh", "-c"), ("/bin/bash", "-c")})


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
    """Yield the commands of a shell text."""
    return (each.words for each in shelltext.commands(script))


def located(script: str, folder: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the commands of a shell text with the folder each runs in (`cd` is followed)."""
    for words in commands(script):
        if words[0] == "cd" and len(words) > 1:
            folder = posixpath.normpath(posixpath.join(folder, words[1]))
        else:
            yield words, folder


def followed(facts: Facts, words: Sequence[str], folder: str = ".") -> Iterator[Ran]:
    """Yield a command and, when it is a package script, what that runs."""
    yield from _followed(facts, Ran(tuple(words), folder), _DEPTH)


def _followed(facts: Facts, ran: Ran, depth: int) -> Iterator[Ran]:
    yield ran
    words = ran.words
    if words[:2] in _SHELL and len(words) > len(("sh", "-c")):
        yield from _chain(facts, words[2], ran, depth)
        return
    name = script_of(words)
    package = facts.repository.packages.get(ran.folder)
    if not name or package is None or depth == 0:
        return
    for each in (f"pre{name}", name, f"post{name}"):
        found = package.scripts.get(each)
        if found is not None and found.value:
            inner = Ran(words, ran.folder, (*ran.via, found.src))
            yield from _chain(facts, found.value, inner, depth - 1)


def _chain(facts: Facts, text: str, ran: Ran, depth: int) -> Iterator[Ran]:
    for words, folder in located(text, ran.folder):
        yield from _followed(facts, Ran(words, folder, ran.via), depth)


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

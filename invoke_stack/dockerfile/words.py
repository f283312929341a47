"""One instruction's text to its name, flags and arguments, as BuildKit's parser takes it apart."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from invoke_stack.dockerfile.lines import SPACES
from invoke_stack.dockerfile.model import Heredoc
from invoke_stack.dockerfile.shell import Shell, ShellError

_GAP = re.compile(r"[\t\v\f\r ]+")
_HEREDOC = re.compile(r"(?P<fd>[0-9]*)<<(?P<chomp>-?)[\t\n\f\r ]*(?P<word>[^<]*)")

HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_LISTS = frozenset({"ADD", "COPY", "VOLUME"})
_COMMANDS = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_TEXTS = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
_PAIRS = frozenset({"ENV", "LABEL"})
_KNOWN = _LISTS | _TEXTS | {"ARG", "EXPOSE", "FROM"}


class WordError(Exception):
    """What BuildKit's parser refuses."""


class Parts(NamedTuple):
    """An instruction taken apart; ``rest`` is what follows the flags."""

    name: str
    flags: tuple[str, ...]
    rest: str


class Arguments(NamedTuple):
    """What the rest of an instruction is made of."""

    args: tuple[str, ...]
    exec: bool = False


def split(line: str) -> Parts:
    """Return name, flags and rest of an instruction."""
    head = _GAP.split(line.strip(SPACES), maxsplit=1)
    flags, rest = _flags(head[1]) if len(head) > 1 else ((), "")
    return Parts(head[0].upper(), flags, rest.strip(SPACES))


def arguments(name: str, rest: str, escape: str) -> Arguments:
    """Return the arguments of an instruction; those of an unknown one are dropped.

    Raises:
        WordError: BuildKit refuses them.
    """
    if name in _COMMANDS:
        return _command(rest)
    if name == "HEALTHCHECK":
        return _health(rest)
    found = _json(rest) if name in _LISTS else None
    if found is not None:
        return Arguments(found, exec=True)
    if name in _PAIRS:
        return Arguments(tuple(_pairs(name, rest, escape)))
    return Arguments(tuple(_plain(name, rest, escape)) if rest and name in _KNOWN else ())


def heredocs(line: str) -> Iterator[Heredoc]:
    """Yield the here-documents that an instruction's text announces, still without text."""
    if "<<" not in line:
        return
    try:
        words = Shell(quotes=True, escapes=True).read(line).words
    except ShellError:  # BuildKit looks no further either
        return
    for word in words:
        found = _HEREDOC.fullmatch(word)
        if found and found["word"] and (each := _heredoc(found)):
            yield each


def _heredoc(found: re.Match[str]) -> Heredoc | None:
    try:
        plain = Shell().read(found["word"]).words
        raw = Shell(quotes=True).read(found["word"]).words
    except ShellError as problem:
        raise WordError(str(problem)) from None
    if len(plain) != 1 or len(raw) != 1:
        return None
    quoted = len(re.findall("['\"]", plain[0])) != len(re.findall("['\"]", raw[0]))
    return Heredoc(plain[0], expand=not quoted, chomp=found["chomp"] == "-")


def _flags(text: str) -> tuple[tuple[str, ...], str]:
    """Return the leading `--words` and what follows them."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in SPACES:
            at += 1
        if not text.startswith("--", at):
            return tuple(found), text[at:]
        word, at = _flag(text, at)
        if word == "--":
            return tuple(found), text[at:]
        found.append(word)


def _flag(text: str, at: int) -> tuple[str, int]:
    word: list[str] = []
    quote = ""
    while at < len(text):
        char = text[at]
        if not quote and char in SPACES:
            break
        at += 1
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char != "\\":
            word.append(char)
        elif at < len(text):
            word.append(text[at])
            at += 1
        else:
            quote = ""
    return "".join(word), at


def _plain(name: str, rest: str, escape: str) -> list[str]:
    if name in _TEXTS:
        return [rest]
    return _words(rest, escape) if name == "ARG" else _GAP.split(rest)


def _command(rest: str) -> Arguments:
    if not rest:
        return Arguments(())
    found = _json(rest)
    return Arguments((rest,)) if found is None else Arguments(found, exec=True)


def _health(rest: str) -> Arguments:
    found = re.match(rf"([^{SPACES}]+)[{SPACES}]*", rest)
    if found is None:
        return Arguments(())
    command = _command(rest[found.end() :])
    return Arguments((found[1], *command.args), command.exec)


def _json(rest: str) -> tuple[str, ...] | None:
    """Return the texts of a JSON list; None where it is none.

    What stands behind the list is ignored, as BuildKit did up to 0.13.

    Raises:
        WordError: a list with something else than texts.
    """
    text = rest.lstrip(SPACES)
    if not text.startswith("["):
        return None
    decoder = json.JSONDecoder(parse_constant=_no_json, parse_float=_number, parse_int=_number)
    try:
        found: Any = decoder.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(each, str) for each in found):
        raise WordError("a JSON list must hold texts only")
    # Go reads half a surrogate pair as U+FFFD.
    return tuple(re.sub("[\ud800-\udfff]", "\ufffd", each) for each in found)


def _no_json(_: str) -> NoReturn:
    raise ValueError("Go knows no such constant")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _no_json(text)
    return value


def _pairs(name: str, rest: str, escape: str) -> Iterator[str]:
    words = _words(rest, escape)
    if not words:
        return
    if "=" not in words[0]:
        old = _GAP.split(rest, maxsplit=1)
        if len(old) == 1:
            raise WordError(f"{name} must have two arguments")
        yield from old
        return
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise WordError(f"{name} has a word without `=`: write name=value")
        yield from (key, value)


def _words(rest: str, escape: str) -> list[str]:
    """Return the words of ENV, LABEL and ARG; quotes stay and escapes too."""
    words: list[str] = []
    at = 0
    while at < len(rest):
        if rest[at] in SPACES:
            at += 1
            continue
        word, at = _word(rest, at, escape)
        if word:
            words.append(word)
    return words


def _word(rest: str, at: int, escape: str) -> tuple[str, int]:
    found: list[str] = []
    quote = ""
    while at < len(rest) and (quote or rest[at] not in SPACES):
        char = rest[at]
        at += 1
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == escape and quote != "'":
            if at == len(rest):
                break  # an escape character at the very end is dropped
            found.append(char)
            char = rest[at]
            at += 1
        found.append(char)
    return "".join(found), at

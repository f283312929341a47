"""Words and variables of Dockerfile instructions, as BuildKit's own small shell has them.

`frontend/dockerfile/shell`: quotes, the escape character, `$X`, `${X}`, `${X:-w}`, `${X:+w}`,
`${X:?w}` and, from 1.10 on, `${X#p}`, `${X%p}` and `${X/p/r}`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from invoke_stack.dockerfile.lines import SPACES

_SPECIAL = "@*#?-$!0"
_DEEPEST = 40
_LARGEST = 16 * 1024


class ShellError(Exception):
    """An unmatched quote or a substitution that does not exist."""


class Expanded(NamedTuple):
    """A text after substitution.

    Attributes:
        words: the same text split at spaces outside quotes.
        used: the variables in it.
        unset: those of them that had no value.
    """

    text: str
    words: tuple[str, ...]
    unset: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shell:
    """How a text is read.

    Attributes:
        escape: the escape character.
        quotes: quotes stay in the result.
        escapes: escape characters stay in the result.
    """

    escape: str = "\\"
    quotes: bool = False
    escapes: bool = False

    def read(self, text: str, values: Mapping[str, str] | None = None) -> Expanded:
        """Return the text with its variables replaced; one that is not set stays as written.

        Raises:
            ShellError: BuildKit refuses the text.
        """
        return _Reading(self, text, values or {}).result()


class _Words:
    """Splits what is written to it at spaces, except where told to keep them."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._word: list[str] = []

    def add(self, text: str) -> None:
        for char in text:
            if char in SPACES:
                self._end()
            else:
                self._word.append(char)

    def keep(self, text: str) -> None:
        self._word.append(text)

    def _end(self) -> None:
        if word := "".join(self._word):
            self.words.append(word)
        self._word.clear()

    def all(self) -> tuple[str, ...]:
        self._end()
        return tuple(self.words)


class _Reading:
    def __init__(self, shell: Shell, text: str, values: Mapping[str, str]) -> None:
        self._shell = shell
        self._text = text
        self._values = values
        self._at = 0
        self._depth = 0
        self._unset: set[str] = set()
        self._used: set[str] = set()
        self._grown = 0

    def result(self) -> Expanded:
        text, words = self._until("", escapes=self._shell.escapes)
        return Expanded(text, words, frozenset(self._unset), frozenset(self._used))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _until(self, stop: str, *, escapes: bool) -> tuple[str, tuple[str, ...]]:
        special: dict[str, Callable[[], str]] = {
            "'": self._single,
            '"': lambda: self._double(escapes=escapes),
            "$": self._dollar,
            "<": self._heredoc,
        }
        result: list[str] = []
        words = _Words()
        while char := self._peek():
            if char == stop:
                self._at += 1
                return "".join(result), words.all()
            if char in special:
                part = special[char]()
                (words.add if char == "$" else words.keep)(part)
                result.append(part)
            elif char == self._shell.escape:
                self._escaped(result, words, escapes=escapes)
            else:
                words.add(self._next())
                result.append(char)
        if stop:
            raise ShellError(f"no {stop} ends a substitution")
        return "".join(result), words.all()

    def _escaped(self, result: list[str], words: _Words, *, escapes: bool) -> None:
        mark = self._next() if escapes else (self._next() and "")
        char = self._next()
        words.keep(mark + char)
        result.append(mark + char)

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise ShellError("no ' ends a quoted text")
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        return f"'{inside}'" if self._shell.quotes else inside

    def _double(self, *, escapes: bool) -> str:
        self._at += 1
        result: list[str] = []
        while (char := self._peek()) != '"':
            if not char:
                raise ShellError('no " ends a quoted text')
            if char == "$":
                result.append(self._dollar())
                continue
            self._at += 1
            if char == self._shell.escape:
                if escapes:
                    result.append(char)
                if not self._peek():
                    continue
                if self._peek() in {'"', "$", self._shell.escape}:
                    char = self._next()
            result.append(char)
        self._at += 1
        inside = "".join(result)
        return f'"{inside}"' if self._shell.quotes else inside

    def _heredoc(self) -> str:
        """Keep `<<` and the spaces behind it together with the word that follows."""
        found = re.compile(r"<<[ \t\r\n]*|<").match(self._text, self._at)
        text = found[0] if found else "<"
        self._at += len(text)
        return text

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            return self._value(name, f"${name}") if name else "$"
        self._at += 1
        if self._peek() in {"", "{", "}", ":"}:
            raise ShellError("a substitution without a name")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ShellError(f"substitutions nested more than {_DEEPEST} deep")
        found = self._braced(self._name())
        self._depth -= 1
        return found

    def _name(self) -> str:
        char = self._peek()
        if char and char in _SPECIAL and not char.isdecimal():
            return self._next()
        start = self._at
        fits = str.isdecimal if char.isdecimal() else _in_name
        while (char := self._peek()) and fits(char):
            self._at += 1
        return self._text[start : self._at]

    def _value(self, name: str, written: str) -> str:
        self._used.add(name)
        if name not in self._values:
            self._unset.add(name)
            return written
        value = self._values[name]
        self._grown += len(value)
        if self._grown > _LARGEST:
            raise ShellError("a text that grows without bounds")
        return value

    def _braced(self, name: str) -> str:
        mark = self._next()
        if mark == "}":
            return self._value(name, f"${{{name}}}")
        if mark == ":":
            mark += self._next()
        kind = mark[-1:]
        if kind == "/" and mark == "/":
            return self._replaced(name)
        if not kind or kind not in "+-?#%" or (kind in "#%" and mark != kind):
            raise ShellError("a substitution that does not exist")
        word, _ = self._until("}", escapes=kind in "#%")
        return self._modified(name, mark, word)

    def _modified(self, name: str, mark: str, word: str) -> str:
        value = self._values.get(name)
        self._used.add(name)
        missing = value is None or (mark.startswith(":") and not value)
        kind = mark[-1]
        if kind == "+":
            return "" if missing else word
        if kind == "-" and missing:
            return word
        if value is None:
            return self._value(name, f"${{{name}{mark}{word}}}")
        whole = self._value(name, "")
        return _trimmed(whole, kind, word) if kind in "#%" else whole

    def _replaced(self, name: str) -> str:
        everywhere = self._peek() == "/"
        self._at += everywhere
        pattern, _ = self._until("/", escapes=True)
        text, _ = self._until("}", escapes=True)
        value = self._value(name, f"${{{name}/{pattern}/{text}}}")
        if name not in self._values:
            return value
        return re.sub(_pattern(pattern), lambda _: text, value, count=0 if everywhere else 1)


def _in_name(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _trimmed(value: str, kind: str, word: str) -> str:
    """Return a value without the shortest (`#`, `%`) or longest (`##`, `%%`) match."""
    longest = word.startswith(kind)
    pattern = re.compile(_pattern(word.removeprefix(kind)))
    cuts = range(len(value) + 1)
    front = kind == "#"
    for cut in reversed(cuts) if longest == front else cuts:
        part, rest = (value[:cut], value[cut:]) if front else (value[cut:], value[:cut])
        if pattern.fullmatch(part):
            return rest
    return value


def _pattern(pattern: str) -> str:
    return fnmatch.translate(pattern.replace("[", "[[]")).removesuffix(r"\Z").removesuffix(r"\z")

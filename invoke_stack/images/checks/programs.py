"""Which programs a command line calls: the words of a list, or a line of shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_WORDS_OF_SHELL = (
    ". : [ [[ alias bg break case cd command continue do done echo elif else esac eval exec exit "
    "export false fi for function if in local printf pwd read return set shift source test then "
    "trap true type ulimit umask unset until wait while { } ! time"
)
_BUILTIN = frozenset(_WORDS_OF_SHELL.split())
_PREFIX = frozenset({"exec", "command", "time", "!", "then", "do", "else", "if", "while", "until"})
_BREAKS = frozenset({"&&", "||", ";", "|", "&", "(", ")", ";;", "|&"})
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
# What runs another program that is named in its arguments.
_WRAPPERS = frozenset({"dumb-init", "tini", "env", "nice", "nohup", "gosu", "su-exec"})


def shell_text(words: Sequence[str]) -> str | None:
    """Return the line of shell that the words run, or None when they run a program directly."""
    if words[:1] == ("CMD-SHELL",) and len(words) > 1:
        return words[1]
    plain = [each for each in words if each != "--"]
    for number, word in enumerate(plain[:-2]):
        if word.rpartition("/")[2] in SHELLS and re.fullmatch(r"-[a-z]*c[a-z]*", plain[number + 1]):
            return plain[number + 2]
    return None


def commands(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the simple commands of a line of shell, without redirections and assignments."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()<>")
            lexer.whitespace_split = True
            tokens = list(lexer)
        except ValueError:  # a quotation mark that goes on in the next line
            continue
        yield from _split(tokens)


def _split(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    words: list[str] = []
    redirected = False
    for token in [*tokens, ";"]:
        if token in _BREAKS:
            if found := _simple(words):
                yield found
            words = []
        elif redirected:
            redirected = False
        elif re.fullmatch(r"[<>&]+", token):
            redirected = True
            if words and words[-1].isdigit():
                words.pop()  # the number of the stream
        else:
            words.append(token)


def _simple(words: Sequence[str]) -> tuple[str, ...]:
    rest = list(words)
    while rest and (rest[0] in _PREFIX or _ASSIGNMENT.fullmatch(rest[0])):
        rest.pop(0)
    return tuple(rest)


def called(words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return every command that the words of a start command or a probe run.

    Each is a tuple of words; the first is a program's name. What only the running shell knows
    (variables, builtins) is left out.
    """
    if words[:1] == ("CMD",):
        words = words[1:]
    words = tuple(words)
    text = shell_text(words)
    if text is None:
        return tuple(filter(None, (words, *_wrapped(words))))
    outer = () if words[:1] == ("CMD-SHELL",) else (words[:1],)
    inner = [each for each in commands(text) if each[0] not in _BUILTIN and "$" not in each[0]]
    return (*outer, *inner)


def _wrapped(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if words and words[0].rpartition("/")[2] in _WRAPPERS:
        rest = [each for each in words[1:] if not each.startswith("-") and "=" not in each]
        if rest and words[0].rpartition("/")[2] in {"gosu", "su-exec"}:
            rest = rest[1:]
        if rest:
            yield tuple(rest)

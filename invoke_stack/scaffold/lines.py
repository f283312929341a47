"""Env files as text: every byte that nobody asked to change stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from invoke_stack.environment import marks
from invoke_stack.environment.dotenv import statements

_HEAD = re.compile(r"\s*(?:export[ \t]+)?[^\s=#]+[ \t]*=")
_QUOTED = re.compile(
    r"[ \t]*(?P<quote>['\"])(?P<inner>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)", re.DOTALL
)
_BARE = re.compile(
    r"[ \t]*(?P<inner>(?!(?<=[ \t])\#)[^\r\n]*?)(?=[ \t]*(?:[ \t]\#[^\r\n]*)?[ \t]*(?:\r?\n|$))"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of an env file: an assignment, a comment or blank lines.

    Attributes:
        text: its text, with the blank lines above and the line end.
        key: the variable it sets; None for a comment.
        aside: the variable of an assignment that is commented out, or "".
        value: what python-dotenv reads; None for a key without `=`.
        line: the line its own text starts on.
    """

    text: str = field(repr=False)
    key: str | None = None
    aside: str = ""
    value: str | None = field(default=None, repr=False)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """One assignment of a template with the comment directly above it."""

    key: str
    text: str = field(repr=False)
    apart: bool = False


def split(text: str) -> list[Statement]:
    """Split an env file's text; joined again, the parts are the text."""
    found = []
    for binding, line in statements(text):
        written = binding.original.string
        aside = "" if binding.key else marks.aside(written.strip())
        found.append(Statement(written, binding.key, aside, binding.value, line))
    return found


def values(text: str) -> dict[str, str]:
    """Return what the assignments of a text say, references unexpanded; the last one counts."""
    return {each.key: each.value or "" for each in split(text) if each.key is not None}


def with_value(text: str, change: Callable[[str], str]) -> str:
    """Return a statement with another value between the quotes it has."""
    head = _HEAD.match(text)
    if head is None:
        return text
    found = _QUOTED.match(text, head.end()) or _BARE.match(text, head.end())
    start, end = found.span("inner") if found else (head.end(), head.end())
    if start == end and not (found and "quote" in found.groupdict()):
        start = end = head.end()  # not behind the spaces in front of a comment
    new = change(text[start:end])
    return text[:start] + new + text[end:]


def blocks(text: str) -> dict[str, Block]:
    """Return the assignments of a template, each with the comment directly above it."""
    found: dict[str, Block] = {}
    lead, apart = "", False
    for each in split(text):
        if "\n" in each.text[: len(each.text) - len(each.text.lstrip())]:
            lead, apart = "", True
        body = each.text.lstrip("\r\n\t ")
        if each.key is not None:
            found.setdefault(each.key, Block(each.key, lead + body, apart and bool(found)))
            lead, apart = "", False
        elif each.aside or not body.startswith("#"):
            lead = ""
        else:
            lead += body
    return found


def completed(text: str, template: str, missing: Mapping[str, str]) -> str:
    """Return an env file's text with blocks of its template at their neighbours' places.

    Args:
        text: the env file.
        template: the template's text, whose order counts.
        missing: the text of each block to add, by key.
    """
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    parts, known = split(text), blocks(template)
    last = {name: n for n, each in enumerate(parts) for name in (each.key, each.aside) if name}
    added: dict[int, list[str]] = {}
    previous, index = "", 0
    for key, block in known.items():
        if key in missing:
            index = index if previous else _top(parts, list(known), key)
            group = added.setdefault(index, [])
            apart = (block.apart or not previous) and (index or group)
            group.append((newline if apart else "") + newline.join(_lines(missing[key])) + newline)
            previous = key
        elif key in last:
            previous, index = key, last[key] + 1
    return _joined([each.text for each in parts], added, newline)


def is_bare(text: str) -> bool:
    """Tell whether a block's key has no `=`: commented out, it would be any other comment."""
    return split(text)[-1].value is None


def commented(text: str) -> str:
    """Return a block whose assignment is commented out."""
    parts = split(text)
    return "".join(each.text if each.key is None else _hashed(each.text) for each in parts)


def _hashed(text: str) -> str:
    return "".join(f"# {line}" for line in text.splitlines(keepends=True))


def _top(parts: list[Statement], order: list[str], key: str) -> int:
    """Return where a key goes that has none of its template before it: above the next one."""
    later = set(order[order.index(key) + 1 :])
    first = next((n for n, each in enumerate(parts) if later & {each.key, each.aside}), None)
    if first is None:
        return len(parts)
    while first and not _starts_paragraph(parts[first]) and parts[first - 1].key is None:
        first -= 1
    return first


def _starts_paragraph(part: Statement) -> bool:
    return "\n" in part.text[: len(part.text) - len(part.text.lstrip())]


def _joined(parts: list[str], added: Mapping[int, list[str]], newline: str) -> str:
    """Return parts as one text, with others in front of those at the given positions."""
    found: list[str] = []
    for index, part in enumerate([*parts, ""]):
        if index in added and found and not found[-1].endswith("\n"):
            found.append(newline)
        found += [*added.get(index, ()), part]
    return "".join(found)


def _lines(text: str) -> Iterable[str]:
    return text.rstrip("\r\n").replace("\r\n", "\n").split("\n")

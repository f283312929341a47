"""Whether two service names mean the same thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

ALIKE = 3
"""From here on one name is the other with a project's prefix or a suffix."""
_GENERIC = frozenset({"prod", "production", "staging", "service", "svc", "main", "new", "v1", "v2"})
_SYNONYMS = (
    frozenset({"api", "backend", "server", "core"}),
    frozenset({"web", "frontend", "client", "ui", "site", "www", "next", "nextjs", "app"}),
    frozenset({"worker", "queue", "jobs", "celery", "sidekiq", "background"}),
)


def same_name(one: str, other: str) -> int:
    """Return how much two service names are the same: 0, 2 (kin), 3 (one within the other), 4."""
    if one.casefold() == other.casefold():
        return 4
    mine, theirs = _tokens(one), _tokens(other)
    if not mine or not theirs:
        return 0
    short, long = sorted((mine, theirs), key=len)
    if long[-len(short) :] == short or (long[: len(short)] == short and len(short) > 1):
        return 3
    if any(mine[-1] in group and theirs[-1] in group for group in _SYNONYMS):
        return 2
    return 2 if long[: len(short)] == short else 0


def _tokens(name: str) -> list[str]:
    words = re.split(r"[-_.\s]+|(?<=[a-z])(?=[A-Z])", name)
    return [each.casefold() for each in words if each and each.casefold() not in _GENERIC]


class Names(Generic[T]):
    """Finds what could have the same name, without comparing each with each.

    Args:
        items: names and what they stand for.
    """

    def __init__(self, items: Iterable[tuple[str, T]]) -> None:
        self._by_key: dict[object, list[tuple[str, T]]] = {}
        for name, item in items:
            for key in dict.fromkeys(_keys(name, own=True)):
                self._by_key.setdefault(key, []).append((name, item))

    def near(self, name: str) -> Iterator[T]:
        """Yield what `same_name` is above 0 for."""
        seen: set[int] = set()
        for key in dict.fromkeys(_keys(name, own=False)):
            for other, item in self._by_key.get(key, ()):
                if id(item) not in seen and same_name(name, other):
                    seen.add(id(item))
                    yield item


def _keys(name: str, *, own: bool) -> Iterator[object]:
    """Yield what two names share when one is the other with more words around it."""
    words = tuple(_tokens(name))
    parts = [words[:end] for end in range(1, len(words))] + [
        words[start:] for start in range(1, len(words))
    ]
    # Kept under its whole and under its parts; looked up by its parts among wholes, and as a
    # whole among parts.
    yield ("name", name.casefold())
    yield ("whole", words)
    yield from (("part" if own else "whole", each) for each in parts)
    if not own:
        yield ("part", words)
    yield from (
        ("kin", number) for number, each in enumerate(_SYNONYMS) if words and words[-1] in each
    )

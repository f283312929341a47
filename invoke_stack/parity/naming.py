"""Whether two service names mean the same thing."""

from __future__ import annotations

import re

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

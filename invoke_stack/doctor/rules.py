"""The rules of `stack.doctor`, in the order of its lines. An id never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping

from invoke_stack.findings.model import Rule

PREFIX = "DOC-"

_TITLES: Mapping[str, str] = {
    "DOC-ENGINE": "an engine that answers and is new enough",
    "DOC-COMPOSE": "Docker Compose that is new enough",
    "DOC-BUILDX": "Buildx, which builds images",
    "DOC-DISK": "room on the disk",
    "DOC-CLOCK": "clocks that agree",
    "DOC-TASKS": "a tasks.py that Invoke finds our tasks in",
    "DOC-SETTINGS": "an invoke.yaml that can be read",
    "DOC-STACK": "compose files that can be read",
    "DOC-PORTS": "published ports that are free, or ours",
    "DOC-ENV": "env files that are there, complete and private",
    "DOC-GIT": "secrets and backups that git leaves alone",
    "DOC-PRODUCTION": "a description of production that can be read",
    "DOC-DATABASE": "a database that answers, in the version that the files name",
    "DOC-EXTENSIONS": "extensions that the migrations ask for",
    "DOC-NODE": "Node in the version that package.json asks for",
    "DOC-MANAGER": "the package manager that the lock file is of",
    "DOC-PRISMA": "Prisma and its engine",
    "DOC-PYTHON": "Python and Invoke",
}

RULES = tuple(Rule(id, title) for id, title in _TITLES.items())  # noqa: A001 - their names
"""Every rule of `stack.doctor`."""


def area(rule: str) -> str:
    """Return a rule's word for people: `DOC-ENGINE` is engine."""
    return rule.removeprefix(PREFIX).lower()


def place(rule: str) -> int:
    """Return where a rule's lines stand among the others."""
    return list(_TITLES).index(rule)

"""A project's own scripts, where they do exactly what is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = {
    "dev": ("migrate", "dev"),
    "deploy": ("migrate", "deploy"),
    "seed": ("db", "seed"),
    "generate": ("generate",),
    "studio": ("studio",),
}
"""Prisma's own words for each action."""

NAMES = {
    "dev": ("migrate:dev", "db:migrate:dev", "db:migrate", "migrate"),
    "deploy": ("migrate:deploy", "db:migrate:deploy", "db:deploy", "db:migrate", "migrate"),
    "seed": ("seed", "db:seed"),
    "generate": ("generate", "db:generate"),
    "studio": ("studio", "db:studio"),
}
PREFIX = "prisma:"
"""Each of the names is also looked for behind this."""

# It would take its address from somewhere else than from us: another database, in the worst case.
_ELSEWHERE = re.compile(
    r"\w*(?:URL|URI|DSN)\s*=|\benv-cmd\b|\s(?:-o|--override|--schema|--config)\b"
)
_OURS = re.compile(r"\b(?:inv|invoke)\b")
_MORE = re.compile(r"&&|\|\||[;|&]")


def choose(action: str, scripts: Mapping[str, str], *, arguments: bool) -> str:
    """Return the name of the script that does an action, or "" where Prisma is called itself.

    The script's name is not enough: `db:migrate` deploys in one project and develops in the next,
    and one that calls us would call us for ever. With arguments, Prisma has to be the script's
    last program, or another one would get them.
    """
    names = [name for each in NAMES[action] for name in (each, PREFIX + each)]
    return next((n for n in names if _fits(action, scripts.get(n, ""), arguments=arguments)), "")


def _fits(action: str, body: str, *, arguments: bool) -> bool:
    if not body or _ELSEWHERE.search(body) or _OURS.search(body):
        return False
    found = re.search(r"\bprisma\s+" + r"\s+".join(WORDS[action]) + r"\b(.*)", body)
    if found is None:
        return action == "seed" and not arguments  # what a seed is made with is free
    return not (arguments and _MORE.search(found[1]))

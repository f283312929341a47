"""A volume that another major version of the server has made: PostgreSQL refuses to start on it."""

from __future__ import annotations

import re

from invoke_stack.errors import StackError

# The server's own words, stable since PostgreSQL 8; the number of the image may have a minor part.
_MISMATCH = re.compile(
    r"initialized by PostgreSQL version (\S+), which is not compatible with this version (\d[\d.]*)"
)


def mismatch(service: str, log: str) -> StackError | None:
    """Return the error when a service's log says that its volume is of another major version."""
    found = _MISMATCH.search(log)
    if found is None:
        return None
    old, new = found[1].rstrip(","), found[2].rstrip(".")
    text = f"its volume was made by PostgreSQL {old} and its image is PostgreSQL {new}"
    return StackError(service, text, hint=_way_on(old, new), detail=tuple(_lines(log)))


def _way_on(old: str, new: str) -> str:
    before, after = (int(each.partition(".")[0]) for each in (old, new))
    if before < after:
        return f"nothing is lost: inv db.upgrade, or set its image to PostgreSQL {old} again"
    text = f"nothing is lost: set its image to PostgreSQL {old} again"
    return f"{text}; what inv db.upgrade has kept: inv db.upgrade --undo"


def _lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if "FATAL" in line or "DETAIL" in line][-2:]

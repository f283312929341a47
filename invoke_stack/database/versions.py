"""A volume that another major version of the server has made: PostgreSQL refuses to start on it."""

from __future__ import annotations

import re

from invoke_stack.errors import StackError

# The server's own words, stable since PostgreSQL 8; the number of the image may have a minor part.
_MISMATCH = re.compile(
    r"initialized by PostgreSQL version (\S+), which is not compatible with this version (\d[\d.]*)"
)
# What the official images from 18 on say of a volume of an older one; also of one at the old place.
# https://github.com/docker-library/postgres/pull/1259
_LAYOUT = re.compile(r"in 18\+, these Docker images|container configuration for 18\+")
_MOUNT = "/var/lib/postgresql"


def mismatch(service: str, log: str) -> StackError | None:
    """Return the error when a service's log says that its volume is of another major version."""
    found = _MISMATCH.search(log)
    if found is None:
        return _laid_out_otherwise(service, log) if _LAYOUT.search(log) else None
    old, new = found[1].rstrip(","), found[2].rstrip(".")
    text = f"its volume was made by PostgreSQL {old} and its image is PostgreSQL {new}"
    return StackError(service, text, hint=_way_on(old, new), detail=tuple(_lines(log)))


def _laid_out_otherwise(service: str, log: str) -> StackError:
    text = "its volume was made by PostgreSQL 17 or older and its image is a newer one"
    hint = "nothing is lost: inv db.upgrade"
    if "unused mount/volume" in log:
        text = f"its image keeps the data below {_MOUNT}, and a volume is mounted at the old place"
        hint = f"mount the volume at {_MOUNT}, inv stack.up, and inv db.upgrade moves what is in it"
    return StackError(service, text, hint=hint)


def _way_on(old: str, new: str) -> str:
    before, after = (int(each.partition(".")[0]) for each in (old, new))
    if before < after:
        return f"nothing is lost: inv db.upgrade, or set its image to PostgreSQL {old} again"
    text = f"nothing is lost: set its image to PostgreSQL {old} again"
    return f"{text}; what inv db.upgrade has kept: inv db.upgrade --undo"


def _lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if "FATAL" in line or "DETAIL" in line][-2:]

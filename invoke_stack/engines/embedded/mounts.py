"""Paths inside a container that are files of this machine, by what the service mounts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from invoke_stack.compose.model import Mount


def find(path: str, mounts: Sequence[Mount]) -> Path | None:
    """Return the file of this machine behind a path inside the container, or None."""
    for mount in sorted(mounts, key=lambda each: -len(each.target)):
        try:
            rest = PurePosixPath(path).relative_to(mount.target.rstrip("/") or "/")
        except ValueError:
            continue
        return mount.source / rest
    return None


def inside(word: str, mounts: Sequence[Mount]) -> str:
    """Return a word of a command line, its path or the one behind its `=` replaced."""
    head, equals, value = word.rpartition("=")
    found = find(value, mounts) if value.startswith("/") else None
    return f"{head}{equals}{found}" if found else word

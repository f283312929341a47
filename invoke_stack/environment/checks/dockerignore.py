"""Which files of a build context `.dockerignore` keeps out, read as Docker reads it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path


def file_of(context: Path, dockerfile: Path) -> Path:
    """Return the ignore file of a build; one named after the Dockerfile wins."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    return own if own.is_file() else context / ".dockerignore"


def patterns(path: Path) -> tuple[str, ...]:
    """Return the patterns of an ignore file; none without a file."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return ()
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    return tuple(line for line in lines if line)


def excluded(name: str, lines: Sequence[str]) -> bool:
    """Tell whether a file, named from the context's root, stays out of the build context.

    The last pattern that matches the file or one of its folders decides.
    """
    out = False
    parents = [name, *_parents(name)]
    for line in lines:
        pattern = _compiled(line.removeprefix("!").strip())
        if pattern is not None and any(pattern.fullmatch(each) for each in parents):
            out = not line.startswith("!")
    return out


def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_regex(pattern))
    except re.error:  # Docker refuses it, and with it the build
        return None


def _parents(name: str) -> list[str]:
    found = []
    while name := posixpath.dirname(name):
        found.append(name)
    return found


def _regex(pattern: str) -> str:
    text = posixpath.normpath(pattern.replace("\\", "/")).lstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", text)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        known.get(part) or (part if re.fullmatch(r"\[[^\]]+\]", part) else re.escape(part))
        for part in parts
    )

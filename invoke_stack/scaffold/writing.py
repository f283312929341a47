"""Writing the env files and ignore lines of a plan."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from invoke_stack import files
from invoke_stack.environment.checks.ignores import Missing
from invoke_stack.errors import UsageError
from invoke_stack.scaffold.plan import Change

_SHARED = 0o644


def sweep(changes: Iterable[Change]) -> None:
    """Remove what a killed run left beside the env files; the lock says that none goes on."""
    for each in changes:
        for left in files.partials(each.target.path):
            left.unlink(missing_ok=True)


def write(changes: Iterable[Change]) -> None:
    """Write the env files, each whole or not at all, for their owner alone.

    Raises:
        StackError: one cannot be written; those before it are whole.
    """
    for each in changes:
        if each.differs:
            files.write(each.target.path, each.after)


def shared(path: Path, text: str) -> None:
    """Write a file that others may read, such as a template or an ignore file."""
    if path.is_symlink():
        raise UsageError(str(path), "is a link", hint="change the file that it leads to")
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _SHARED
    files.write(path, text)
    path.chmod(mode)


def ignore(missing: Iterable[Missing]) -> None:
    """Add lines to ignore files, in the line endings they have."""
    by_file: dict[Path, list[str]] = {}
    for each in missing:
        by_file.setdefault(each.path, []).append(each.line)
    for path, new in by_file.items():
        text = path.read_bytes().decode() if path.exists() else ""
        newline = "\r\n" if "\r\n" in text else "\n"
        if text and not text.endswith("\n"):
            text += newline
        shared(path, text + "".join(f"{line}{newline}" for line in dict.fromkeys(new)))

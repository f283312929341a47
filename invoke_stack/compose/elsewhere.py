"""Compose files that lie where nobody looks for them: what to say about a project without one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from invoke_stack.errors import UsageError

TASKS = ("tasks.py", "tasks/__init__.py")
_DEEP = 3
_HIGH = 4
_MANY = 2000
_SKIPPED = frozenset({"node_modules", "vendor", "dist", "build", "coverage", "backups"})


class NoStackError(UsageError):
    """There is no compose file here, for any mode."""


def error(root: Path, look: Callable[[Path], Path | None]) -> NoStackError:
    """Return the error for a project without a compose file, with the nearest one there is.

    Args:
        root: the folder of the project's `tasks.py`.
        look: returns a compose file of a folder, or None.
    """
    hint = _below(root, look) or _above(root, look) or _none()
    return NoStackError(str(root), "no compose file here", hint=hint)


def _none() -> str:
    return f"write compose.yaml there or in docker/; one of another name: {_setting('NAME')}"


def _setting(name: str) -> str:
    quoted = name if name.replace("/", "").replace(".", "").replace("-", "").isalnum() else ""
    return f"in invoke.yaml write stack: {{compose: {{files: [{quoted or repr(name)}]}}}}"


def _below(root: Path, look: Callable[[Path], Path | None]) -> str:
    for folder in _folders(root):
        if found := look(folder):
            name = found.relative_to(root).as_posix()
            return f"found {name}; to use it {_setting(name)}"
    return ""


def _above(root: Path, look: Callable[[Path], Path | None]) -> str:
    for folder in root.parents[:_HIGH]:
        if found := look(folder):
            if any((folder / name).is_file() for name in TASKS):
                place = shlex.quote(str(folder))
                return f"this folder has a tasks.py of its own; the stack is above: cd {place}"
            return f"found {found}: move tasks.py beside it"
        if (folder / ".git").exists():  # the end of this repository
            break
    return ""


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders below, the nearest first; not all of a very large tree."""
    pending = [(root, 0)]
    for count, (folder, depth) in enumerate(pending):
        if depth:
            yield folder
        if depth < _DEEP and count < _MANY:
            pending += [(each, depth + 1) for each in _inside(folder)]


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [folder / name for name in names if name not in _SKIPPED and name[:1] != "."]

"""Invoke tasks for full-stack teams: one line in `tasks.py`, and `inv stack.up` works."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout on PYTHONPATH meets any Python
    from invoke.exceptions import Exit

    raise Exit(
        f"error: {sys.executable}: invoke_stack needs Python 3.11 or newer, "
        f"and this is {sys.version_info[0]}.{sys.version_info[1]}\n"
        "  hint: python3.11 -m venv .venv && .venv/bin/pip install invoke-stack, "
        "then: .venv/bin/inv --list",
        2,
    )

if TYPE_CHECKING:
    from invoke_stack.errors import StackError
    from invoke_stack.project import Project
    from invoke_stack.settings import Settings
    from invoke_stack.tasks import namespace

__all__ = ["Project", "Settings", "StackError", "namespace"]

_HOMES = {
    "Project": "invoke_stack.project",
    "Settings": "invoke_stack.settings",
    "StackError": "invoke_stack.errors",
    "namespace": "invoke_stack.tasks",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: `inv --list` needs only one of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'invoke_stack' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

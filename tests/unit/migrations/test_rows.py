"""db.seed and db.studio before any tool is called: whose database it is, and what a tool lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database.migrating import Place
from invoke_stack.database.rails import Consent
from invoke_stack.errors import UsageError
from invoke_stack.events import silent
from invoke_stack.migrations import rows
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Settings


@dataclass(frozen=True)
class Named:
    """Stands for whatever has a name."""

    name: str


@dataclass(frozen=True)
class Declared:
    """Stands for a stack of which the mode alone counts."""

    mode: Named


@dataclass(frozen=True)
class Target:
    """Stands for a database of which the place alone counts."""

    place: str


class Bare:
    """A tool without first rows and without a user interface."""

    name = "bare"

    def seed(self, *_: object) -> bool:
        return False


def place(mode: str, where: str = "stack") -> Place:
    declared: Any = Declared(Named(mode))
    target: Any = Target(where) if where else None
    return Place(declared, None, target, host="", stack="")


def nobody(question: str, word: str = "") -> None:
    raise AssertionError(f"asked {question} {word}")


@pytest.mark.parametrize(
    ("mode", "where", "precious"),
    [
        ("dev", "stack", False),
        ("test", "stack", False),
        ("staging", "stack", True),
        ("prod", "stack", True),
        ("dev", "loopback", True),
        ("test", "remote", True),
        ("dev", "", True),
    ],
)
def test_only_the_developers_own_database_is_nobodys_loss(
    mode: str, where: str, *, precious: bool
) -> None:
    assert rows.precious(place(mode, where)) == precious


def test_a_tool_without_first_rows_or_studio_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path, Settings(), SystemRunner({}), {})
    tool: Any = Bare()
    with pytest.raises(UsageError, match="bare knows of no seed here"):
        rows.seed(project, place("dev"), tool, Consent(), silent, nobody)
    with pytest.raises(UsageError, match="bare has no user interface"):
        rows.studio(project, place("prod"), tool, 1, Consent(), silent, nobody, print)

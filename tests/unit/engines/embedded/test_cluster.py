"""What becomes of a cluster that cannot be made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.engines.embedded import cluster, postgres
from invoke_stack.engines.embedded.cluster import Making
from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Settings

if os.name != "posix":
    pytest.skip("the stand-in for initdb is a script with a #! line", allow_module_level=True)

# As PostgreSQL 15, 16 and 18 say it where no entry of /etc/passwd has the user's number.
UNNAMED = "initdb: could not look up effective user ID 54321: user does not exist"


@pytest.fixture
def making(tmp_path: Path) -> Callable[[str], Making]:
    """Describe a cluster whose `initdb` says something and fails."""

    def make(said: str) -> Making:
        for name in ("bin", "sockets", "pg"):
            (tmp_path / name).mkdir()
        program = tmp_path / "bin" / "initdb"
        program.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n')
        program.chmod(0o755)
        environ = {"PATH": "/usr/bin:/bin"}
        return Making(
            project=Project(tmp_path, Settings(), SystemRunner(environ), environ),
            service="pg",
            programs=tmp_path / "bin",
            data=tmp_path / "pg" / "data",
            sockets=tmp_path / "sockets",
            account=None,
            settings=postgres.settings("pg", {"POSTGRES_PASSWORD": "hidden"}),
            argv=("postgres",),
            environment={},
        )

    return make


def left(making: Making) -> list[Any]:
    return [*making.data.parent.iterdir(), *making.sockets.iterdir()]


def test_a_user_without_a_name_is_told_how_to_get_one(making: Callable[[str], Making]) -> None:
    wanted = making(UNNAMED)

    with pytest.raises(UsageError) as caught:
        cluster.make(wanted)

    assert str(caught.value) == (
        "service pg: user 54321 has no name on this machine, and PostgreSQL makes no data for one"
    )
    assert caught.value.hint == (
        "run it as a user that /etc/passwd has, or, as root: useradd --uid 54321 stack"
    )
    assert left(wanted) == []


def test_whatever_else_initdb_says_is_shown(making: Callable[[str], Making]) -> None:
    wanted = making("initdb: error: no space left")

    with pytest.raises(StackError) as caught:
        cluster.make(wanted)

    assert caught.value.detail == ("initdb: error: no space left",)
    assert "POSTGRES_INITDB_ARGS" in caught.value.hint
    assert left(wanted) == []

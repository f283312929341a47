"""A Nox session gets the running stack and its env as this machine sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks import Project

FAILS = """
import nox
from invoke_stack.nox import stack

@nox.session(venv_backend="none")
def tests(session):
    with stack(session, services=["nobody"]) as env:
        session.log("reached")
"""


def nox(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nox", *words],
        cwd=project.folder,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_example_s_session_reaches_database_and_cache(project: Callable[..., Project]) -> None:
    split = project("split")
    split.inv("env.init").ok()

    ran = nox(split, "-s", "e2e")

    assert ran.returncode == 0, ran.stderr
    assert "Ran 2 tests" in ran.stdout + ran.stderr
    assert sorted(split.containers()) == ["db", "redis"]
    assert not [key for key, value in split.secrets.items() if value in ran.stdout + ran.stderr]


def test_a_stack_that_does_not_come_up_fails_the_session(project: Callable[..., Project]) -> None:
    own = project(compose="services:\n  cache:\n    image: redis:7-alpine\n")
    own.write("noxfile.py", FAILS)

    ran = nox(own, "-s", "tests")

    assert ran.returncode == 1
    assert "no such service: nobody" in ran.stdout + ran.stderr
    assert "reached" not in ran.stderr

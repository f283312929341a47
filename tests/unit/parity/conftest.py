"""Ten clean pairs, one per layout, and projects made of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from invoke_stack.errors import MissingProgramError, StackError
from invoke_stack.process import Command, Runner, SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

DATA = Path(__file__).parents[2] / "data" / "parity"


class NoPrograms:
    """A machine without git and Docker: what is found is what the files say."""

    dry = False

    def capture(self, *_: object, **__: object) -> object:
        raise MissingProgramError("docker", "not found", hint="install it")

    attach = start = capture


def files_of(pair: str) -> dict[str, str]:
    """Return a pair's files: path to text."""
    text = (DATA / f"{pair}.txt").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^=== (.*)\n", text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture(scope="session")
def compose() -> Runner:
    """The real Compose, which merges override files; it needs no engine for that."""
    environ = {"PATH": os.environ.get("PATH", "")}
    runner = SystemRunner(environ)
    try:
        done = runner.capture(Command(("docker", "compose", "version"), effect="read"))
    except StackError:
        pytest.skip("Docker Compose is not installed")
    if done.code != 0:
        pytest.skip("Docker Compose is not installed")
    return runner


@pytest.fixture
def lay(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that writes files and returns the project that they are."""

    def make(files: Mapping[str, str], runner: Runner | None = None) -> Project:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        given = yaml.safe_load(files.get("invoke.yaml", "")) or {}
        settings = load([Source("invoke.yaml", given.get("stack", {}))])
        return Project(tmp_path, settings, runner or NoPrograms(), {})  # type: ignore[arg-type]

    return make


@pytest.fixture
def pair() -> Callable[[str], dict[str, str]]:
    """Return the files of a clean pair."""
    return files_of

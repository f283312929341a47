from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from invoke_stack import events
from invoke_stack.environment.secretgen import Generator
from invoke_stack.project import Project
from invoke_stack.scaffold import env

if TYPE_CHECKING:
    from tests.conftest import FakeRunner


@dataclass
class Scene:
    """A project of a few files, in which `env.init` runs with secrets that can be told apart."""

    root: Path
    make: Callable[..., Project]
    runner: FakeRunner
    volumes: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)
    said: list[events.Event] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def read(self, name: str) -> str:
        return (self.root / name).read_bytes().decode()

    def project(self, mode: str = "") -> Project:
        return self.make(mode=mode)

    def init(
        self, *rotate: str, mode: str = "", fix: bool = False, agree: bool = True
    ) -> env.Result:
        def confirm(question: str) -> None:
            self.asked.append(question)
            assert agree

        def secret(generator: Generator) -> str:
            return f"new{next(self.numbers)}{generator.name}"

        world = env.World(lambda _project, _needs: self.volumes, secret)
        request = env.Request(rotate, fix=fix)
        return env.init(self.project(mode), request, confirm, self.said.append, world)

    def sync(self, mode: str = "") -> env.Result:
        return env.sync(self.project(mode))

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.root.rglob("*")
            if path.is_file() and ".invoke-stack" not in path.parts
        }


@pytest.fixture
def scene(tmp_path: Path, make_project: Callable[..., Project], runner: FakeRunner) -> Scene:
    """Return a project without Docker and git."""
    runner.answer("docker", code=1)
    runner.answer("git", code=128)
    return Scene(tmp_path, make_project, runner)


@pytest.fixture
def git(make_project: Callable[..., Project], tmp_path: Path) -> Callable[..., None]:
    """Script what git says, ahead of everything else."""

    def git(runner: FakeRunner, *, tracked: str = "", ignored: str = "") -> None:
        runner._answers.clear()  # noqa: SLF001 - a script of its own
        runner.answer("docker", code=1)
        runner.answer("ls-files", tracked)
        runner.answer("check-ignore", ignored, code=0 if ignored else 1)

    return git

"""Fixtures of the engine ring; what they hand out is in stacks.py."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stacks import Begun, Project, free_port, processes, run_docker, until, workshop

HERE = Path(__file__).parent
WITHOUT_DOCKER = HERE / "embedded"


@functools.cache
def missing_engine() -> str:
    """Return why no engine test can run here, or ""."""
    for words in (("info",), ("compose", "version")):
        try:
            done = subprocess.run(
                ["docker", *words], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            said = str(problem)
        else:
            said = done.stderr.strip() if done.returncode else ""
        if said:
            return (
                f"`docker {' '.join(words)}`: {said.splitlines()[-1]}. To get an engine: start "
                "Docker, or on Debian run tests/engine/host/engine-up and "
                "tests/engine/host/images as root"
            )
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both` on both engines."""
    if metafunc.definition.get_closest_marker("both"):
        metafunc.parametrize("engine", ["docker", "embedded"], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip without an engine; where `ENGINE_TESTS=require` says there must be one, fail."""
    if WITHOUT_DOCKER in item.path.parents:
        return
    if reason := missing_engine():
        required = os.environ.get("ENGINE_TESTS") == "require"
        (pytest.fail if required else pytest.skip)(reason)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Make projects: `project("hybrid")`, or `project(compose=TEXT, **{".env": TEXT})`."""
    with workshop(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Project]]:
    """Make projects that the tests of one file share."""
    with workshop(tmp_path_factory.mktemp("shared")) as make:
        yield make


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the test's stack runs on."""
    return str(getattr(request, "param", "docker"))


@pytest.fixture(scope="module")
def on_engine(shared_project: Callable[..., Project]) -> Iterator[Callable[..., Project]]:
    """Make projects for an engine that the tests of one file share; they are taken down."""
    made: list[Project] = []

    def make(engine: str, **files: str) -> Project:
        made.append(shared_project(**files))
        made[-1].environ["INVSTACK_ENGINE"] = engine
        return made[-1]

    yield make
    for each in made:
        if each.environ["INVSTACK_ENGINE"] == "embedded":
            each.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()


@pytest.fixture(scope="session")
def docker() -> Callable[..., str]:
    """Run `docker` and return what it prints."""
    return run_docker


@pytest.fixture(scope="session")
def port() -> Callable[[], int]:
    return free_port


@pytest.fixture(scope="session", name="until")
def until_() -> Callable[..., None]:
    """Wait until something is true."""
    return until


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Begun]]:
    """Start `inv` beside the test: `begin(project, "stack.up")`."""
    runs: list[Begun] = []

    def begin(project: Project, *words: str) -> Begun:
        runs.append(Begun(project, words, tmp_path / f"run-{len(runs)}.log"))
        return runs[-1]

    yield begin
    for each in runs:
        if each.child.poll() is None:
            each.child.kill()
            each.child.wait()


@pytest.fixture(scope="session", name="processes")
def processes_() -> Callable[[str], list[str]]:
    return processes

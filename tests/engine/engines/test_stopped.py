"""Docker is stopped under a stack that ran on it: nothing goes on with an empty second database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

COMPOSE = """
services:
  cache:
    image: redis:7-alpine
    ports: ["${CACHE_PORT}:6379"]
    volumes: [data:/data]
volumes: {data: }
"""
GONE = "unix:///nonexistent.sock"


@pytest.fixture(scope="module")
def stack(shared_project: Callable[..., Project]) -> Iterator[Project]:
    project = shared_project(compose=COMPOSE)
    project.environ.pop("INVSTACK_ENGINE", None)
    project.up()
    yield project
    # What a test that failed half way may have left on the other engine.
    project.inv("stack.down", environ={"INVSTACK_ENGINE": "embedded"})


@pytest.mark.parametrize("task", ["stack.up", "stack.ps", "stack.restart", "cache.info"])
def test_every_task_is_refused_with_both_ways_out(stack: Project, task: str) -> None:
    before = stack.identities()

    result = stack.inv(task, environ={"DOCKER_HOST": GONE})

    assert result.code == 4
    assert result.error == (
        f"docker: this stack last ran on Docker, and no engine answers at {GONE}"
    )
    assert "start Docker" in result.hint
    assert "INVSTACK_ENGINE=embedded inv stack.up" in result.hint
    assert stack.identities() == before
    assert not (Path(stack.folder) / ".invoke-stack" / "embedded").exists()


def test_when_docker_is_back_everything_goes_on(stack: Project) -> None:
    before = stack.identities()

    assert stack.inv("stack.up").ok()
    assert stack.identities() == before


def test_once_the_volumes_are_removed_it_may_go_on_anywhere(stack: Project) -> None:
    stack.inv("stack.down", "--volumes", "--yes", "--no-backup").ok()

    result = stack.inv("stack.ps", "--json", environ={"DOCKER_HOST": GONE}).ok()

    assert (result.document["engine"], result.document["services"]) == ("embedded", [])
    assert f"no engine answers at {GONE}" in result.stderr
    stack.up()

"""Looking at what services use, and updating them as files change."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Begun, Project

COMPOSE = """
services:
  app:
    build: .
    command: [sleep, infinity]
    init: true
    develop:
      watch:
        - {action: sync, path: ./src, target: /srv/src}
  cache:
    image: redis:7-alpine
"""


@pytest.fixture(scope="module")
def stack(shared_project: Callable[..., Project]) -> Project:
    project = shared_project(compose=COMPOSE)
    project.write("Dockerfile", "FROM redis:7-alpine\nENTRYPOINT []\nCOPY src /srv/src\n")
    project.write("src/page", "one")
    project.up()
    return project


def test_stats_show_what_each_running_service_uses(stack: Project) -> None:
    found = {
        each["service"]: each for each in stack.inv("stack.stats", "--json").document["services"]
    }

    assert set(found) == {"app", "cache"}
    assert found["cache"]["memory"] > 1024**2
    assert found["cache"]["limit"] > found["cache"]["memory"]
    assert found["app"]["processes"] >= 1
    assert "MiB of" in stack.inv("stack.stats").ok().stdout


def test_a_changed_file_reaches_the_running_service(
    stack: Project,
    begin: Callable[..., Begun],
    docker: Callable[..., str],
    until: Callable[..., None],
) -> None:
    before = stack.identities()
    container = stack.containers()["app"].id
    run = begin(stack, "stack.watch")

    def arrived() -> bool:
        # Written again and again, because how Compose says that it watches now differs by
        # version; not too often, because it waits for a quiet half second.
        stack.write("src/page", "two")
        time.sleep(1.5)
        return docker("exec", container, "cat", "/srv/src/page") == "two"

    until(arrived, 30, "nothing arrives")
    run.signal(signal.SIGINT, group=True)

    assert run.end(timeout=20).code == 130
    assert stack.identities() == before


def test_a_service_that_does_not_run_cannot_be_watched(stack: Project) -> None:
    stack.inv("stack.stop", "-s", "app").ok()
    refused = stack.inv("stack.watch")
    stack.inv("stack.start", "-s", "app").ok()

    assert refused.code == 6
    assert refused.error == "app: is not running"

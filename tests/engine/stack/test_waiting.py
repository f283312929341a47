"""How `stack.up` ends when a service does not become ready, or when somebody ends it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Begun, Project

EXITS = """
services:
  app:
    image: redis:7-alpine
    command: ["sh", "-c", "echo cannot open /srv/data; exit 1"]
    healthcheck:
      test: ["CMD", "true"]
      interval: 30s
  cache:
    image: redis:7-alpine
"""
NEVER = """
services:
  app:
    image: redis:7-alpine
    healthcheck:
      test: ["CMD-SHELL", "echo the probe says no; exit 1"]
      interval: 1s
      timeout: 1s
      retries: 3
      start_period: 1s
"""
SLOW = """
services:
  slow:
    image: redis:7-alpine
    healthcheck:
      test: ["CMD", "false"]
      interval: 30s
  second:
    image: redis:7-alpine
    depends_on:
      slow:
        condition: service_healthy
"""


def test_a_service_that_exits_1_ends_the_wait_at_once(project: Callable[..., Project]) -> None:
    stack = project(compose=EXITS)
    result = stack.inv("stack.up")
    assert result.code == 1
    assert result.error == "app: exited with code 1"
    assert "log | cannot open /srv/data" in result.stderr
    assert result.hint.startswith("inv stack.logs -s app")
    assert result.seconds < 15


def test_a_service_that_its_policy_restarts_again_and_again_is_a_failure(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=EXITS.replace("    command", "    restart: always\n    command", 1))
    result = stack.inv("stack.up")
    assert result.code == 1
    assert result.error.startswith("app: exits with code 1 and was restarted")
    assert "log | cannot open /srv/data" in result.stderr
    assert result.seconds < 15


def test_a_one_shot_that_others_wait_for_fails_with_its_own_words(
    project: Callable[..., Project],
) -> None:
    stack = project(
        compose="services:\n"
        "  migrate:\n    image: redis:7-alpine\n"
        "    command: ['sh', '-c', 'echo no such table; exit 3']\n"
        "  app:\n    image: redis:7-alpine\n    depends_on:\n"
        "      migrate: {condition: service_completed_successfully}\n"
    )
    result = stack.inv("stack.up")
    assert result.code == 1
    assert result.error == "migrate: exited with code 3"
    assert "log | no such table" in result.stderr


def plain_compose(stack: Project) -> float:
    """Return how long Compose itself takes to give up on the same files."""
    began = time.monotonic()
    done = subprocess.run(
        ["docker", "compose", "up", "-d", "--wait"],
        cwd=stack.folder,
        env=stack.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    return time.monotonic() - began


def test_a_check_that_never_passes_is_reported_no_later_than_plain_compose_would(
    project: Callable[..., Project],
) -> None:
    plain = plain_compose(project(compose=NEVER))
    stack = project(compose=NEVER)
    result = stack.inv("stack.up")
    assert result.code == 6
    assert result.error.startswith("app: its health check")
    assert "health check | the probe says no" in result.stderr
    assert result.hint.startswith("inv stack.logs -s app")
    # Starting Python and looking before is not part of the wait; the rest is the noise of an engine
    # that other tests use at the same time.
    assert result.seconds <= plain + 4


def test_a_service_that_was_slow_before_is_given_up_on_after_the_timeout_that_was_asked_for(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=SLOW)
    result = stack.inv("stack.up", "--timeout", "3")
    assert result.code == 6
    assert "not ready within 3 s" in result.error
    assert "slow" in result.error
    assert result.seconds < 10


@pytest.mark.parametrize(
    ("number", "to", "code"),
    [
        (signal.SIGINT, "group", 130),
        (signal.SIGINT, "process", 130),
        (signal.SIGTERM, "process", 143),
    ],
)
def test_an_interrupted_wait_leaves_no_program_and_names_the_next_step(
    number: int,
    to: str,
    code: int,
    project: Callable[..., Project],
    begin: Callable[..., Begun],
    processes: Callable[[str], list[str]],
) -> None:
    stack = project(compose=SLOW)
    run = begin(stack, "stack.up")
    run.said("slow: starting")
    assert processes(stack.name)
    run.signal(number, group=to == "group")
    result = run.end(timeout=10)
    assert result.code == code
    assert "interrupted" in result.stderr
    assert "inv stack.down" in result.stderr
    assert processes(stack.name) == []
    assert sorted(path.name for path in Path(stack.folder, ".invoke-stack").glob("*.env")) == []
    stack.inv("stack.down").ok()
    assert stack.containers() == {}


def test_an_interrupted_build_leaves_no_program(
    project: Callable[..., Project],
    begin: Callable[..., Begun],
    processes: Callable[[str], list[str]],
) -> None:
    stack = project(
        compose="services: {app: {build: .}}\n",
        Dockerfile="FROM redis:7-alpine\nRUN echo begun && sleep 60\n",
    )
    run = begin(stack, "stack.up")
    run.said("begun", timeout=60)
    run.signal(signal.SIGINT, group=False)
    assert run.end(timeout=10).code == 130
    assert processes(stack.name) == []
    assert stack.containers() == {}

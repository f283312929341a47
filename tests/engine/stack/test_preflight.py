"""Faults that `stack.up` finds before it changes anything."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

CACHE = """
services:
  cache:
    image: redis:7-alpine
    ports: ["${CACHE_PORT:-6379}:6379"]
"""
REQUIRED = """
services:
  app:
    image: redis:7-alpine
    environment:
      FIRST: ${FIRST_KEY:?ask the team}
      SECOND: ${SECOND_KEY:?}
"""
BROKEN = """services:
  app:
    image: redis:7-alpine
     command: ["true"]
"""


def untouched(stack: Project) -> bool:
    things = [("ps", "--all"), ("network", "ls"), ("volume", "ls"), ("image", "ls")]
    return not any(stack.listed(*words) for words in things)


@pytest.fixture
def cache(project: Callable[..., Project], port: Callable[[], int]) -> Project:
    stack = project(compose=CACHE)
    stack.ports["CACHE_PORT"] = port()
    stack.environ["CACHE_PORT"] = str(stack.ports["CACHE_PORT"])
    return stack


def test_a_port_that_a_container_of_another_project_holds(
    cache: Project, project: Callable[..., Project]
) -> None:
    other = project(compose=CACHE)
    other.environ["CACHE_PORT"] = cache.environ["CACHE_PORT"]
    other.up()
    result = cache.inv("stack.up")
    assert result.code == 2
    number = cache.ports["CACHE_PORT"]
    assert f"cache: port {number} is taken by container {other.name}-cache-1" in result.error
    assert f"of the Compose project {other.name} in {other.folder}" in result.error
    assert "set CACHE_PORT to a free port" in result.hint
    assert f"docker stop {other.name}-cache-1" in result.hint
    assert untouched(cache)


def test_a_port_that_a_plain_container_holds(cache: Project, docker: Callable[..., str]) -> None:
    name = f"{cache.name}-squatter"
    published = f"{cache.ports['CACHE_PORT']}:6379"
    docker("run", "--detach", "--name", name, "--publish", published, "redis:7-alpine")
    try:
        result = cache.inv("stack.up")
    finally:
        docker("rm", "--force", "--volumes", name)
    assert result.code == 2
    assert f"port {cache.ports['CACHE_PORT']} is taken by container {name}" in result.error
    assert untouched(cache)


def test_a_port_that_a_process_holds(cache: Project) -> None:
    with contextlib.closing(socket.create_server(("", cache.ports["CACHE_PORT"]))):
        result = cache.inv("stack.up")
    assert result.code == 2
    assert f"port {cache.ports['CACHE_PORT']} is taken by" in result.error
    assert f"(process {os.getpid()})" in result.error
    assert "set CACHE_PORT to a free port" in result.hint
    assert untouched(cache)
    cache.up()


def test_every_taken_port_is_named_at_once(
    project: Callable[..., Project], port: Callable[[], int]
) -> None:
    numbers = sorted((port(), port()))
    stack = project(
        compose="services:\n"
        f"  one: {{image: 'redis:7-alpine', ports: ['{numbers[0]}:6379']}}\n"
        f"  two: {{image: 'redis:7-alpine', ports: ['{numbers[1]}:6379']}}\n"
    )
    with contextlib.ExitStack() as held:
        for number in numbers:
            held.enter_context(contextlib.closing(socket.create_server(("", number))))
        result = stack.inv("stack.up")
    assert result.code == 2
    for service, number in zip(("one", "two"), numbers, strict=True):
        assert f"port {number} ({service}) is held by" in result.stderr


def test_every_missing_required_variable_is_named_at_once(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=REQUIRED)
    result = stack.inv("stack.up")
    assert result.code == 2
    assert "2 required variables are not set" in result.error
    assert "compose.yaml:6: FIRST_KEY: ask the team" in result.stderr
    assert "compose.yaml:7: SECOND_KEY" in result.stderr
    assert ".env" in result.hint
    assert untouched(stack)


def test_one_missing_required_variable_is_named_with_its_line(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=REQUIRED, **{".env": "FIRST_KEY=here\n"})
    result = stack.inv("stack.up")
    assert result.code == 2
    assert result.error == "compose.yaml:7: SECOND_KEY is required and not set"
    assert untouched(stack)


def test_a_missing_env_file_without_template(project: Callable[..., Project]) -> None:
    stack = project(
        compose="services: {app: {image: 'redis:7-alpine', env_file: [settings.env]}}\n"
    )
    result = stack.inv("stack.up")
    assert result.code == 2
    assert result.error.startswith("app: env_file settings.env does not exist")
    assert "`required: false` in compose.yaml" in result.hint
    assert untouched(stack)


def test_an_engine_that_is_not_running(cache: Project) -> None:
    environ = {"DOCKER_HOST": "unix:///nonexistent.sock", "INVSTACK_ENGINE": "docker"}
    for task in (("stack.up",), ("stack.ps",), ("stack.down",), ("stack.logs",)):
        result = cache.inv(*task, environ=environ)
        assert result.code == 6
        assert result.error == "docker: no engine answers at unix:///nonexistent.sock"
        assert "start" in result.hint
    assert untouched(cache)


def test_broken_compose_yaml_is_named_with_its_line(project: Callable[..., Project]) -> None:
    stack = project(compose=BROKEN)
    result = stack.inv("stack.up")
    assert result.code == 2
    assert "compose.yaml:4:" in result.error
    assert result.hint
    assert untouched(stack)


def test_a_compose_key_that_does_not_exist_is_named(project: Callable[..., Project]) -> None:
    stack = project(compose="services:\n  app:\n    image: redis:7-alpine\n    prots: []\n")
    result = stack.inv("stack.up")
    assert result.code == 2
    assert "compose.yaml" in result.error
    assert "prots" in result.error
    assert untouched(stack)


def test_a_service_that_does_not_exist_gets_a_suggestion(cache: Project) -> None:
    for words in (("stack.up", "-s", "cahce"), ("stack.exec", "-s", "cahce", "--", "true")):
        result = cache.inv(*words)
        assert result.code == 2
        assert result.error.endswith(": no such service: cahce")
        assert "did you mean cache?" in result.hint
    assert untouched(cache)


def test_a_mode_that_does_not_exist_lists_the_modes(cache: Project) -> None:
    result = cache.inv("stack.up", "--mode", "prdo")
    assert result.code == 2
    assert "no such mode" in result.error
    assert "prod" in result.hint


def test_the_same_project_name_in_another_folder_is_refused(
    cache: Project, project: Callable[..., Project]
) -> None:
    cache.up()
    before = cache.identities()
    other = project(compose=CACHE)
    other.environ = dict(cache.environ)
    for words in (
        ("stack.up",),
        ("stack.ps",),
        ("stack.stop",),
        ("stack.logs",),
        ("stack.exec", "-s", "cache", "--", "true"),
        ("stack.down",),
        ("stack.down", "--volumes", "--no-backup", "--yes"),
    ):
        result = other.inv(*words)
        assert result.code == 4, words
        assert result.error == f"{cache.name}: containers of this name belong to {cache.folder}"
        assert "name:" in result.hint
    assert cache.identities() == before


def test_a_second_up_at_the_same_time_is_told_that_another_run_is_busy(
    project: Callable[..., Project], begin: Callable[..., object]
) -> None:
    stack = project(
        compose="services:\n  slow:\n    image: redis:7-alpine\n    healthcheck:\n"
        "      test: ['CMD', 'false']\n      interval: 30s\n"
    )
    run = begin(stack, "stack.up")
    run.said("starting")
    result = stack.inv("stack.up")
    assert result.code == 5
    assert f"process {run.child.pid}" in result.error
    assert result.hint

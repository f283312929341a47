"""The JSON that others rely on, and what ends in which stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

COMPOSE = """
services:
  cache:
    image: redis:7-alpine
    ports: ["127.0.0.1:${CACHE_PORT:-20399}:6379"]
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
  once:
    image: redis:7-alpine
    command: ["true"]
  plain:
    image: redis:7-alpine
"""


@pytest.fixture(scope="module")
def stack(shared_project: Callable[..., Project], port: Callable[[], int]) -> Project:
    project = shared_project(compose=COMPOSE)
    project.ports["CACHE_PORT"] = port()
    project.write(".env", f"CACHE_PORT={project.ports['CACHE_PORT']}\nAPI_TOKEN=canary-of-env\n")
    project.secrets["API_TOKEN"] = "canary-of-env"
    project.up()
    return project


def test_ps_in_json_has_the_shape_that_others_rely_on(stack: Project) -> None:
    document = stack.inv("stack.ps", "--json").ok().document
    assert {key: document[key] for key in ("schema", "project", "mode", "engine")} == {
        "schema": 1,
        "project": stack.name,
        "mode": "dev",
        "engine": "docker",
    }
    services = {each["name"]: each for each in document["services"]}
    number = stack.ports["CACHE_PORT"]
    assert services["cache"] == {
        "name": "cache",
        "state": "running",
        "health": "healthy",
        "image": "redis:7-alpine",
        "exit_code": 0,
        "ports": [
            {
                "host": "127.0.0.1",
                "published": number,
                "target": 6379,
                "protocol": "tcp",
                "url": f"redis://127.0.0.1:{number}",
            }
        ],
    }
    once = services["once"]
    assert (once["state"], once["health"], once["exit_code"]) == ("exited", "", 0)
    assert (services["plain"]["health"], services["plain"]["ports"]) == ("", [])


def test_a_read_in_json_says_nothing_on_stderr(stack: Project) -> None:
    for task in ("stack.ps", "stack.urls", "stack.config", "env.show"):
        result = stack.inv(task, "--json").ok()
        assert result.document["schema"] == 1
        assert result.stderr == ""
        assert "\x1b" not in result.stdout


def test_ps_after_down_is_an_empty_list_and_no_error(project: Callable[..., Project]) -> None:
    stack = project(compose="services: {app: {image: 'redis:7-alpine'}}\n")
    assert stack.inv("stack.ps", "--json").ok().document["services"] == []
    assert "nothing is up" in stack.inv("stack.ps").ok().stderr


def test_logs_of_a_stack_that_is_not_up_name_the_next_step(
    project: Callable[..., Project],
) -> None:
    stack = project(compose="services: {app: {image: 'redis:7-alpine'}}\n")
    result = stack.inv("stack.logs")
    assert result.code == 6
    assert "nothing is up" in result.error
    assert "inv stack.up" in result.hint


def test_show_in_json_has_the_shape_that_others_rely_on(stack: Project) -> None:
    document = stack.inv("env.show", "--json").ok().document
    assert (document["schema"], document["mode"]) == (1, "dev")
    assert document["values"]["CACHE_PORT"] == {
        "value": str(stack.ports["CACHE_PORT"]),
        "file": ".env",
        "line": 1,
        "origin": "file",
        "sensitive": False,
    }
    assert document["values"]["API_TOKEN"] == {
        "value": None,
        "file": ".env",
        "line": 2,
        "origin": "file",
        "sensitive": True,
    }


def test_show_names_the_process_set_and_compose_as_origins(stack: Project) -> None:
    unset = {"CACHE_PORT": "20400"}
    given = stack.inv("env.show", "--json", environ=unset).document["values"]["CACHE_PORT"]
    assert (given["value"], given["file"], given["origin"]) == ("20400", None, "process")
    words = ("env.show", "--json", "--set", "CACHE_PORT=20401")
    chosen = stack.inv(*words, environ=unset).document["values"]["CACHE_PORT"]
    assert (chosen["value"], chosen["file"], chosen["origin"]) == ("20401", None, "set")


def test_show_gives_a_compose_default_with_its_compose_file(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=COMPOSE)
    value = stack.inv("env.show", "--json").ok().document["values"]["CACHE_PORT"]
    assert value == {
        "value": "20399",
        "file": "compose.yaml",
        "line": 5,
        "origin": "compose",
        "sensitive": False,
    }


def test_reveal_shows_a_secret_in_clear_on_request(project: Callable[..., Project]) -> None:
    stack = project(compose=COMPOSE, **{".env": "API_TOKEN=shown-on-request\n"})
    document = stack.inv("env.show", "--json", "--reveal").ok().document
    assert document["values"]["API_TOKEN"]["value"] == "shown-on-request"

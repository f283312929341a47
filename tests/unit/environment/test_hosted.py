"""`env.run`: the command word for word, the values as this machine needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.environment import hosted
from invoke_stack.environment.selection import Selection
from invoke_stack.errors import UsageError
from invoke_stack.events import Warned
from invoke_stack.project import Project

Make = Callable[..., Project]
DB = {"image": "postgres:16", "ports": [{"target": 5432, "published": "5433", "protocol": "tcp"}]}
CONFIG = json.dumps({"name": "shop", "services": {"db": DB}})
URL = "postgresql://app:pw@db:5432/app"


def test_words_and_values_reach_the_program(make_project: Make, runner: Any) -> None:
    project = make_project(files={".env": "A='x y'\n"})

    code = hosted.run(project, ("sh", "-c", "echo $A; exit 7"), project.root)

    (command,) = runner.ran
    assert code == 0
    assert command.argv == ("sh", "-c", "echo $A; exit 7")
    assert command.env == {"A": "x y", "NODE_ENV": "development"}
    assert command.cwd == project.root


def test_the_exit_code_is_passed_on(make_project: Make, runner: Any) -> None:
    runner.answer("false", code=7)
    project = make_project(files={".env": "A=1\n"})

    assert hosted.run(project, ("false",), project.root) == 7


def test_urls_are_those_of_the_host(make_project: Make, runner: Any) -> None:
    runner.answer("config", CONFIG)
    project = make_project(files={".env": f"DATABASE_URL={URL}\n", "compose.yaml": "services: {}"})

    hosted.run(project, ("true",), project.root)

    assert runner.ran[-1].env["DATABASE_URL"] == "postgresql://app:pw@localhost:5433/app"


def test_without_compose_urls_are_rewritten_all_the_same(make_project: Make, runner: Any) -> None:
    runner.answer("config", code=1, stderr="docker: 'compose' is not a docker command.")
    stack = "services: {db: {image: postgres, ports: ['5433:5432']}}\n"
    project = make_project(files={".env": f"DATABASE_URL={URL}\n", "compose.yaml": stack})
    said: list[Any] = []

    hosted.run(project, ("true",), project.root, said.append)

    assert runner.ran[-1].env["DATABASE_URL"] == "postgresql://app:pw@localhost:5433/app"
    assert said == []


def test_where_compose_refuses_the_files_urls_stay_as_written_and_it_says_so(
    make_project: Make, runner: Any
) -> None:
    runner.answer("config", code=1, stderr="services.web must be a mapping")
    project = make_project(files={".env": f"DATABASE_URL={URL}\n", "compose.yaml": "services: {}"})
    said: list[Any] = []

    hosted.run(project, ("true",), project.root, said.append)

    assert runner.ran[-1].env["DATABASE_URL"] == URL
    assert isinstance(said[0], Warned)


def test_a_folder_with_env_files_of_its_own_brings_its_values(
    make_project: Make, runner: Any
) -> None:
    files = {".env": "A=root\n", "web/.env": "A=web\n", "web/src/x.js": ""}
    project = make_project(files=files)

    hosted.run(project, ("true",), project.root / "web" / "src")
    hosted.run(project, ("true",), project.root, only=Selection(folder="web"))

    assert [command.env["A"] for command in runner.ran] == ["web", "web"]
    assert [command.cwd for command in runner.ran] == [
        project.root / "web" / "src",
        project.root / "web",
    ]


def test_a_next_app_that_would_change_a_value_is_refused(make_project: Make, runner: Any) -> None:
    files = {"package.json": '{"devDependencies": {"next": "16"}}', ".env": "B=1\nPASS='pa$w'\n"}
    project = make_project(files=files)

    with pytest.raises(UsageError, match="ENV-NEXT-PROC") as caught:
        hosted.run(project, ("next", "dev"), project.root)

    assert caught.value.where == ".env:2"
    assert "pa$w" not in str(caught.value) + caught.value.hint
    assert runner.ran == []


def test_a_next_app_without_the_key_gets_the_value(make_project: Make, runner: Any) -> None:
    files = {".env": "PASS='pa$w'\n", "web/package.json": '{"dependencies": {"next": "16"}}'}
    project = make_project(files=files)

    hosted.run(project, ("next", "dev"), project.root / "web")

    assert runner.ran[-1].env["PASS"] == "pa$w"


def test_nothing_to_run_is_an_error(make_project: Make) -> None:
    project = make_project(files={".env": "A=1\n"})

    with pytest.raises(UsageError, match="nothing to run"):
        hosted.run(project, (), project.root)
    with pytest.raises(UsageError, match="no such folder"):
        hosted.run(project, ("true",), project.root, only=Selection(folder="nowhere"))


def test_a_services_own_environment_is_on_top_and_seen_from_here(
    make_project: Make, runner: Any
) -> None:
    files = {".env": "B=mine\n", ".env.web": "A=1\nC=3\n", "compose.yaml": "services: {}"}
    project = make_project(files=files)
    web = {
        "build": {"context": "."},
        "env_file": [{"path": str(project.root / ".env.web")}],
        "environment": {"DATABASE_URL": URL, "CACHE_URL": "redis://db:6379", "A": "2", "B": None},
    }
    services = {"db": DB, "web": web}
    runner.answer("config", json.dumps({"name": "shop", "services": services}))
    said: list[Any] = []

    hosted.run(project, ("true",), project.root, said.append, only=Selection("web"))

    assert runner.ran[-1].env == {
        "A": "2",
        "B": "mine",
        "C": "3",
        "CACHE_URL": "redis://db:6379",
        "DATABASE_URL": "postgresql://app:pw@localhost:5433/app",
    }
    assert [each.text for each in said if isinstance(each, Warned)] == [
        "CACHE_URL: db:6379 is not published to the host; handed over as written"
    ]
    assert project.secrets.hide("it is postgresql://app:pw@localhost:5433/app").count("pw") == 0

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose.commands import ComposeCall
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.images import build, targets
from invoke_stack.project import Project

Declare = Callable[..., Declared]
MakeProject = Callable[..., Project]

DOCKERFILE = "FROM node:22\nARG NEXT_PUBLIC_URL\nARG VITE_X\nARG NEXT_PUBLIC_OWN\nARG TOKEN\n"


@pytest.fixture
def services(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    section = {
        "context": str(tmp_path),
        "target": "runner",
        "args": {"NEXT_PUBLIC_OWN": "given", "TOKEN": "x"},
    }
    return {
        "web": {"build": section},
        "tool": {"build": section, "profiles": ["tools"], "image": "me/tool:1"},
        "db": {"image": "postgres:16"},
    }


def test_every_built_service_of_the_mode_is_a_target(
    make_project: MakeProject, declare: Declare, services: dict[str, Any]
) -> None:
    found = targets.find(make_project(), declare(services), ())

    assert [(e.name, e.tag, e.stage) for e in found] == [("web", "shop-web", "runner")]


def test_a_service_that_is_named_is_built_whatever_its_profile(
    make_project: MakeProject, declare: Declare, services: dict[str, Any]
) -> None:
    found = targets.find(make_project(), declare(services), ("tool", "tool"))

    assert [each.tag for each in found] == ["me/tool:1"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [("wbe", "no such service: wbe"), ("db", "db: has no `build:` in the compose files")],
)
def test_what_cannot_be_built_is_refused(
    make_project: MakeProject, declare: Declare, services: dict[str, Any], chosen: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        targets.find(make_project(), declare(services), (chosen,))

    assert message in str(caught.value)


def test_a_mode_that_builds_nothing_says_so(make_project: MakeProject, declare: Declare) -> None:
    with pytest.raises(UsageError, match="no service is built"):
        targets.find(make_project(), declare({"db": {"image": "postgres"}}), ())


def test_the_override_names_variables_and_platforms_and_holds_no_value(
    make_project: MakeProject, declare: Declare, services: dict[str, Any]
) -> None:
    env = {"NEXT_PUBLIC_URL": "https://secret.example", "TOKEN": "x", "NEXT_PUBLIC_OTHER": "y"}
    plain = targets.find(make_project(), declare(services), ())
    public = targets.find(make_project(), declare(services, env=env), ())

    assert json.loads(targets.override(plain, ())) == {"services": {}}
    assert json.loads(targets.override(public, ("linux/amd64",))) == {
        "services": {
            "web": {"build": {"args": {"NEXT_PUBLIC_URL": None}, "platforms": ["linux/amd64"]}}
        }
    }


def test_the_file_of_the_override_is_there_while_compose_runs(
    make_project: MakeProject, declare: Declare, services: dict[str, Any]
) -> None:
    project = make_project()
    found = targets.find(project, declare(services), ())
    call = ComposeCall((Path("compose.yaml"),), project.root)

    with targets.completed(project, call, found) as same:
        assert same is call
    with targets.completed(project, call, found, ("linux/amd64",)) as more:
        added = more.files[-1]
        assert added.exists()
    assert not added.exists()


def test_flags_become_composes_own() -> None:
    call = ComposeCall((), Path("/x"))
    request = build.Request(("web",), cache=False, push=True)

    assert build.command(call, request, ["web"]).argv == (
        *("docker", "compose", "--project-directory", "/x", "--progress", "plain"),
        *("build", "--no-cache", "--push", "web"),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ()), ("linux/amd64", ("linux/amd64",)), ("a/b, c/d,", ("a/b", "c/d"))],
)
def test_platforms_are_a_list(text: str, found: tuple[str, ...]) -> None:
    assert build.platforms(text) == found

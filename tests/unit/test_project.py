from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.modes import find
from invoke_stack.project import Project, Secrets
from invoke_stack.settings import ModeSettings

MakeProject = Callable[..., Project]


def test_the_mode_is_the_named_one_then_the_flags_then_the_settings(
    make_project: MakeProject,
) -> None:
    settings = {"mode": "staging"}

    assert make_project().mode().name == "dev"
    assert make_project(settings).mode().name == "staging"
    assert make_project(settings, mode="prod").mode().name == "prod"
    assert make_project(settings, mode="prod").mode("test").name == "test"


def test_a_mode_may_be_spelled_out(make_project: MakeProject) -> None:
    assert make_project({"mode": "Production"}).mode() == find("prod")


def test_a_mode_that_does_not_exist_lists_those_that_do(make_project: MakeProject) -> None:
    settings = {"modes": {"qa": {"layers": [".env.qa"]}}}

    with pytest.raises(UsageError) as caught:
        make_project(settings, mode="qs").mode()

    assert str(caught.value) == "--mode qs: no such mode"
    assert caught.value.hint == "modes: dev, test, staging, prod, base, qa"


def test_a_mode_of_the_projects_own(make_project: MakeProject) -> None:
    settings = {"modes": {"qa": {"layers": [".env", ".env.qa"], "node": "production"}}}

    found = make_project(settings, mode="qa").mode()

    assert (found.name, found.layers, found.aliases, found.node) == (
        "qa",
        (".env", ".env.qa"),
        ("qa",),
        "production",
    )


def test_a_mode_of_the_projects_own_names_its_env_files(make_project: MakeProject) -> None:
    with pytest.raises(UsageError) as caught:
        make_project({"modes": {"qa": {"node": "test"}}}).custom_modes()

    assert str(caught.value).startswith("stack.modes.qa.layers: ")
    assert caught.value.hint == "for example: ['.env', '.env.qa', '.env.local']"


@pytest.mark.parametrize("name", ["prod", "production", "Production"])
def test_a_built_in_mode_is_changed_under_any_of_its_names(
    make_project: MakeProject, name: str
) -> None:
    project = make_project({"modes": {name: {"node": "x", "profiles": ["p"]}}}, mode="prod")

    assert project.mode().node == "x"
    assert project.mode().layers == find("prod").layers
    assert project.mode_settings(project.mode()) == ModeSettings(node="x", profiles=("p",))


def test_a_mode_without_settings_has_none(make_project: MakeProject) -> None:
    assert make_project().mode_settings(find("dev")) == ModeSettings()


def test_paths_are_shown_from_the_root_where_they_lie_below_it(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()

    assert project.shown(tmp_path / "docker" / "compose.yaml") == "docker/compose.yaml"
    assert project.shown(tmp_path) == "."
    assert project.shown(tmp_path.parent / "x") == str(tmp_path.parent / "x")


def test_the_state_folder_is_made_on_first_use_and_ignored_by_git(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()
    assert not (tmp_path / ".invoke-stack").exists()

    assert project.state == tmp_path / ".invoke-stack"

    assert (tmp_path / ".invoke-stack" / ".gitignore").read_text() == "*\n"


def test_a_dry_runner_makes_a_dry_project(make_project: MakeProject, runner: Any) -> None:
    assert make_project().dry is False
    runner.dry = True
    assert make_project().dry is True


def test_a_project_shows_no_value_of_its_environment(make_project: MakeProject) -> None:
    project = make_project(environ={"T": "canary"}, overrides={"U": "canary"})

    assert "canary" not in repr(project)


def test_secrets_are_hidden_from_the_moment_they_are_known() -> None:
    secrets = Secrets()
    assert secrets.hide("a canary") == "a canary"

    secrets.learn(["canary"])
    secrets.learn(["other-secret"])

    assert secrets.hide("a canary, other-secret") == "a ***, ***"

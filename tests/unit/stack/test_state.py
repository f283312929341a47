from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.engines.containers import Container
from invoke_stack.errors import ExitCode, RefusedError, UsageError
from invoke_stack.project import Project
from invoke_stack.stack import state

Make = Callable[..., Container]
MakeProject = Callable[..., Project]


def test_nothing_is_remembered_at_first(make_project: MakeProject, tmp_path: Path) -> None:
    assert state.last_mode(make_project()) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_last_stack_is_remembered(make_project: MakeProject) -> None:
    state.remember(make_project(), name="shop", mode="prod")

    assert state.last_mode(make_project()) == "prod"
    assert state.known_mode(make_project()) == "prod"


def test_a_flag_wins_over_what_is_remembered(make_project: MakeProject) -> None:
    state.remember(make_project(), name="shop", mode="prod")

    assert state.known_mode(make_project(mode="dev")) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mode": null}'])
def test_a_record_that_cannot_be_read_says_nothing(make_project: MakeProject, text: str) -> None:
    project = make_project(files={".invoke-stack/stack.json": text})

    assert state.last_mode(project) == ""


def test_labels_tell_the_running_mode_before_the_record_does(
    make_project: MakeProject, make_container: Make
) -> None:
    project = make_project()
    state.remember(project, name="shop", mode="dev")

    assert state.running_mode(project, [make_container("db"), make_container(mode="prod")]) == (
        "prod"
    )
    assert state.running_mode(project, [make_container("db")]) == "dev"
    assert state.running_mode(project, []) == ""


def test_the_name_is_known_from_the_record_when_the_files_are_broken(
    make_project: MakeProject, runner: Any
) -> None:
    project = make_project(files={"compose.yaml": "services: {}"})
    state.remember(project, name="shop", mode="dev")
    runner.answer("config", stderr="services must be a mapping", code=15)

    assert state.name(project) == "shop"


def test_broken_files_of_a_stack_that_never_ran_are_the_error(
    make_project: MakeProject, runner: Any
) -> None:
    runner.answer("config", stderr="validating x: services must be a mapping", code=15)

    with pytest.raises(UsageError, match=r"compose\.yaml: x: services must be a mapping"):
        state.name(make_project(files={"compose.yaml": "services: {}"}))


def test_containers_of_this_folder_are_ours(make_container: Make, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    found = [make_container(folder=str(tmp_path / "link")), make_container(folder="")]

    state.require_own(found, folder, "shop")


def test_containers_of_another_folder_are_refused(make_container: Make, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        state.require_own([make_container(folder="/home/me/other")], tmp_path, "shop")

    assert str(caught.value) == "shop: containers of this name belong to /home/me/other"
    assert "`name:` in its compose file" in caught.value.hint
    assert caught.value.code == ExitCode.REFUSED

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.engines.containers import Container
from invoke_stack.errors import ExitCode, RefusedError
from invoke_stack.project import Project
from invoke_stack.stack import state

Make = Callable[..., Container]
MakeProject = Callable[..., Project]


def test_nothing_is_remembered_at_first(make_project: MakeProject, tmp_path: Path) -> None:
    assert state.last_mode(make_project()) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_last_stack_is_remembered(make_project: MakeProject, tmp_path: Path) -> None:
    state.remember(make_project(), name="shop", mode="prod", folder=tmp_path / "docker")

    assert state.last_mode(make_project()) == "prod"
    assert state.known_mode(make_project()) == "prod"
    assert state.last_name(make_project()) == ("shop", tmp_path / "docker")


def test_once_it_is_emptied_no_engine_is_remembered_but_the_rest_is(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()
    state.emptied(project)
    assert list(tmp_path.iterdir()) == []

    state.remember(project, name="shop", mode="prod", folder=tmp_path)
    state.emptied(project)

    record = json.loads((tmp_path / ".invoke-stack" / "stack.json").read_text())
    assert (record["engine"], record["mode"], record["project"]) == ("", "prod", "shop")


def test_once_it_is_down_no_mode_is_remembered_but_the_rest_is(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()
    state.ended(project, "shop")
    assert list(tmp_path.iterdir()) == []

    state.remember(project, name="shop", mode="prod", folder=tmp_path, engine="embedded")
    state.ended(project, "shop")

    assert (state.last_mode(project), state.known_mode(project)) == ("", "")
    assert state.last_name(project) == ("shop", tmp_path)
    record = json.loads((tmp_path / ".invoke-stack" / "stack.json").read_text())
    assert record["engine"] == "embedded"


def test_a_stack_of_another_name_that_ends_changes_nothing(
    make_project: MakeProject, tmp_path: Path
) -> None:
    """A mode's env file may give its stack a name of its own; the other one still runs."""
    project = make_project()
    state.remember(project, name="shop", mode="staging", folder=tmp_path)

    state.ended(project, "shop-prod")

    assert state.last_mode(project) == "staging"


def test_a_flag_wins_over_what_is_remembered(make_project: MakeProject, tmp_path: Path) -> None:
    state.remember(make_project(), name="shop", mode="prod", folder=tmp_path)

    assert state.known_mode(make_project(mode="dev")) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mode": null}'])
def test_a_record_that_cannot_be_read_says_nothing(make_project: MakeProject, text: str) -> None:
    project = make_project(files={".invoke-stack/stack.json": text})

    assert state.last_mode(project) == ""
    assert state.last_name(project) == ("", project.root)


def test_labels_tell_the_running_mode_before_the_record_does(
    make_project: MakeProject, make_container: Make, tmp_path: Path
) -> None:
    project = make_project()
    state.remember(project, name="shop", mode="dev", folder=tmp_path)

    assert state.running_mode(project, [make_container("db"), make_container(mode="prod")]) == (
        "prod"
    )
    assert state.running_mode(project, [make_container("db")]) == "dev"
    assert state.running_mode(project, []) == ""


def test_containers_of_this_folder_are_ours(make_container: Make, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    found = [make_container(folder=str(tmp_path / "link")), make_container(folder="")]

    state.require_own(found, folder, "shop")


def test_containers_of_another_folder_are_refused(make_container: Make, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    with pytest.raises(RefusedError) as caught:
        state.require_own([make_container(folder=str(other))], tmp_path, "shop")

    assert str(caught.value) == f"shop: containers of this name belong to {other}"
    assert "`name:` in its compose file" in caught.value.hint
    assert caught.value.code == ExitCode.REFUSED


def test_containers_of_a_folder_that_was_moved_can_be_removed_by_name(
    make_container: Make, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as caught:
        state.require_own([make_container(folder=str(tmp_path / "gone"))], tmp_path, "shop")

    assert "docker compose -p shop down" in caught.value.hint

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose.files import ComposeFiles, find
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

MakeProject = Callable[..., Project]
Look = Callable[..., ComposeFiles]


@pytest.fixture
def look(make_project: MakeProject) -> Look:
    """Write empty files and look for the stack of a mode."""

    def look(
        *names: str,
        mode: str = "",
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> ComposeFiles:
        project = make_project(settings, mode=mode, files=dict.fromkeys(names, ""))
        return find(project, project.mode(), environ or {})

    return look


def shown(found: ComposeFiles, root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in found.paths]


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (["compose.yaml"], "compose.yaml"),
        (["compose.yml"], "compose.yml"),
        (["docker-compose.yaml"], "docker-compose.yaml"),
        (["docker-compose.yml"], "docker-compose.yml"),
        (["compose.yaml", "compose.yml"], "compose.yaml"),
        (["compose.yml", "docker-compose.yaml"], "compose.yml"),
        (["docker-compose.yaml", "docker-compose.yml"], "docker-compose.yaml"),
        (["docker/docker-compose.yml"], "docker/docker-compose.yml"),
        (["docker/compose.yaml"], "docker/compose.yaml"),
        (["docker-compose.yml", "docker/compose.yaml"], "docker-compose.yml"),
    ],
)
def test_the_base_file_is_found_in_the_order_of_compose_and_the_root_first(
    look: Look, tmp_path: Path, present: list[str], wanted: str
) -> None:
    found = look(*present)

    assert shown(found, tmp_path) == [wanted]
    assert (found.mode, found.overridden) == ("dev", False)
    assert found.folder == (tmp_path / wanted).parent


@pytest.mark.parametrize(
    ("mode", "override"),
    [
        ("", "compose.dev.yaml"),
        ("", "compose.development.yml"),
        ("dev", "compose.dev.yml"),
        ("test", "compose.test.yml"),
        ("staging", "compose.staging.yml"),
        ("staging", "compose.stage.yml"),
        ("prod", "compose.prod.yml"),
        ("prod", "compose.production.yaml"),
    ],
)
def test_an_override_of_the_mode_follows_the_base_file(
    look: Look, tmp_path: Path, mode: str, override: str
) -> None:
    found = look("compose.yaml", override, mode=mode)

    assert shown(found, tmp_path) == ["compose.yaml", override]
    assert found.overridden is True


def test_overrides_of_other_modes_are_left_alone(look: Look, tmp_path: Path) -> None:
    found = look("compose.yaml", "compose.prod.yaml", "compose.test.yaml")

    assert shown(found, tmp_path) == ["compose.yaml"]
    assert found.overridden is False


def test_only_dev_takes_the_developers_own_override_file(look: Look, tmp_path: Path) -> None:
    files = ("compose.yaml", "compose.override.yaml", "compose.dev.yaml", "compose.prod.yaml")

    assert shown(look(*files), tmp_path) == [
        "compose.yaml",
        "compose.override.yaml",
        "compose.dev.yaml",
    ]
    assert shown(look(*files, mode="prod"), tmp_path) == ["compose.yaml", "compose.prod.yaml"]
    assert shown(look(*files, mode="base"), tmp_path) == ["compose.yaml"]


def test_a_developers_override_file_alone_is_not_the_modes_own(look: Look) -> None:
    assert look("compose.yaml", "compose.override.yaml").overridden is False


def test_the_override_lies_beside_its_base_and_has_its_name(look: Look, tmp_path: Path) -> None:
    found = look(
        "docker/docker-compose.yml",
        "docker/docker-compose.prod.yml",
        "docker/compose.prod.yml",
        "compose.prod.txt",
        mode="prod",
    )

    assert shown(found, tmp_path) == [
        "docker/docker-compose.yml",
        "docker/docker-compose.prod.yml",
    ]


def test_one_file_for_production_is_the_stack_when_no_mode_is_asked_for(
    look: Look, tmp_path: Path
) -> None:
    found = look("docker-compose.prod.yml")

    assert shown(found, tmp_path) == ["docker-compose.prod.yml"]
    assert found.mode == "prod"
    assert found.reason == "the only compose file, so the mode is prod"


def test_one_file_for_production_is_taken_with_its_flag(look: Look, tmp_path: Path) -> None:
    found = look("docker/compose.production.yaml", mode="prod")

    assert shown(found, tmp_path) == ["docker/compose.production.yaml"]
    assert (found.mode, found.overridden) == ("prod", True)


def test_one_file_for_production_is_not_the_stack_of_another_mode(look: Look) -> None:
    with pytest.raises(UsageError) as caught:
        look("docker-compose.prod.yml", mode="dev")

    assert str(caught.value) == (
        "--dev: no compose file for this mode; found docker-compose.prod.yml"
    )
    assert caught.value.hint == "use --prod, or add a compose.yaml that every mode shares"


def test_several_mode_files_without_a_base_need_the_mode(look: Look, tmp_path: Path) -> None:
    files = ("compose.staging.yml", "compose.prod.yml")

    assert shown(look(*files, mode="staging"), tmp_path) == ["compose.staging.yml"]
    with pytest.raises(UsageError, match=r"found compose\.staging\.yml, compose\.prod\.yml"):
        look(*files)


def test_a_base_in_the_docker_folder_wins_over_a_mode_file_in_the_root(
    look: Look, tmp_path: Path
) -> None:
    found = look("docker/compose.yml", "docker-compose.prod.yml")

    assert shown(found, tmp_path) == ["docker/compose.yml"]


def test_a_project_without_compose_files_is_told_where_they_are_looked_for(
    look: Look, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        look("README.md")

    assert str(caught.value) == f"{tmp_path}: no compose file here"
    assert "compose.yaml there or in docker/" in caught.value.hint
    assert "stack: {compose: {files: [NAME]}}" in caught.value.hint


def test_a_folder_with_the_name_of_a_compose_file_is_none(look: Look) -> None:
    with pytest.raises(UsageError, match="no compose file here"):
        look("compose.yaml/x")


def test_the_variable_of_compose_wins_over_detection(look: Look, tmp_path: Path) -> None:
    found = look(
        "compose.yaml",
        "a.yml",
        "deploy/b.yml",
        environ={"COMPOSE_FILE": os.pathsep.join(("a.yml", "deploy/b.yml"))},
    )

    assert shown(found, tmp_path) == ["a.yml", "deploy/b.yml"]
    assert found.reason == "COMPOSE_FILE"


def test_the_separator_of_compose_is_honoured(look: Look, tmp_path: Path) -> None:
    environ = {"COMPOSE_FILE": "a.yml,b.yml,", "COMPOSE_PATH_SEPARATOR": ","}

    assert shown(look("a.yml", "b.yml", environ=environ), tmp_path) == ["a.yml", "b.yml"]


def test_settings_win_over_the_variable_and_the_modes_own_over_all(
    look: Look, tmp_path: Path
) -> None:
    settings = {"compose": {"files": ["a.yml"]}, "modes": {"prod": {"files": ["b.yml"]}}}
    environ = {"COMPOSE_FILE": "c.yml"}
    files = ("a.yml", "b.yml", "c.yml", "compose.yaml")

    dev = look(*files, settings=settings, environ=environ)
    prod = look(*files, mode="prod", settings=settings, environ=environ)

    assert (shown(dev, tmp_path), dev.reason) == (["a.yml"], "setting stack.compose.files")
    assert (shown(prod, tmp_path), prod.reason) == (["b.yml"], "setting stack.modes.prod.files")


def test_a_mode_may_be_spelled_out_in_the_settings(look: Look, tmp_path: Path) -> None:
    settings = {"modes": {"production": {"files": ["b.yml"]}}}

    found = look("compose.yaml", "b.yml", mode="prod", settings=settings)

    assert shown(found, tmp_path) == ["b.yml"]


@pytest.mark.parametrize(
    ("settings", "environ", "message"),
    [
        ({"compose": {"files": ["x.yml"]}}, {}, "setting stack.compose.files"),
        ({"modes": {"dev": {"files": ["x.yml"]}}}, {}, "setting stack.modes.dev.files"),
        ({}, {"COMPOSE_FILE": "x.yml"}, "COMPOSE_FILE"),
    ],
)
def test_a_named_file_that_is_missing_names_who_named_it(
    look: Look, settings: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        look("compose.yaml", settings=settings, environ=environ)

    assert str(caught.value) == f"{message}: x.yml does not exist"
    assert caught.value.hint == "correct the name there"


def test_a_mode_of_the_projects_own_has_its_override(look: Look, tmp_path: Path) -> None:
    settings = {"modes": {"qa": {"layers": [".env"]}}}

    found = look("compose.yaml", "compose.qa.yaml", mode="qa", settings=settings)

    assert shown(found, tmp_path) == ["compose.yaml", "compose.qa.yaml"]


def test_a_mode_of_the_projects_own_may_be_its_only_compose_file(
    look: Look, tmp_path: Path
) -> None:
    settings = {"modes": {"qa": {"layers": [".env"]}}}

    found = look("compose.qa.yaml", mode="qa", settings=settings)

    assert shown(found, tmp_path) == ["compose.qa.yaml"]


def test_a_setting_that_names_only_nothing_is_an_error(look: Look) -> None:
    with pytest.raises(UsageError, match=r"setting stack\.compose\.files: names no compose file"):
        look("compose.yaml", settings={"compose": {"files": [""]}})

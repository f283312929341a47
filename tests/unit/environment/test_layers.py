from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.environment.layers import layer_paths, leftover, read, templates
from invoke_stack.errors import UsageError
from invoke_stack.modes import Mode, find


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("A=1\n")


def names(folder: Path, mode: str) -> list[str]:
    return [path.name for path in layer_paths(folder, find(mode))]


ALL = (
    ".env", ".env.development", ".env.local", ".env.development.local", ".env.test",
    ".env.test.local", ".env.staging", ".env.staging.local", ".env.production",
    ".env.production.local",
)  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("dev", [".env", ".env.development", ".env.local", ".env.development.local"]),
        ("test", [".env", ".env.test", ".env.test.local"]),
        ("staging", [".env", ".env.staging", ".env.local", ".env.staging.local"]),
        ("prod", [".env", ".env.production", ".env.local", ".env.production.local"]),
        ("base", [".env", ".env.local"]),
    ],
)
def test_a_mode_reads_its_files_from_low_to_high(
    tmp_path: Path, mode: str, expected: list[str]
) -> None:
    touch(tmp_path, *ALL, ".env.example", ".env.dev", ".env.docker")

    assert names(tmp_path, mode) == expected


@pytest.mark.parametrize("mode", ["dev", "test", "staging", "prod", "base"])
def test_a_lone_env_local_is_a_layer_of_every_mode(tmp_path: Path, mode: str) -> None:
    touch(tmp_path, ".env.local", ".env.example", ".env.local.example", ".env.production.example")

    assert names(tmp_path, mode) == [".env.local"]


def test_env_local_is_not_alone_beside_a_file_of_another_mode(tmp_path: Path) -> None:
    touch(tmp_path, ".env.local", ".env.production")

    assert names(tmp_path, "test") == []


def test_a_mode_of_the_project_has_its_own_files(tmp_path: Path) -> None:
    mode = Mode("e2e", (".env", ".env.e2e"), ("e2e",))
    touch(tmp_path, ".env.e2e", ".env.local")

    assert [path.name for path in layer_paths(tmp_path, mode)] == [".env.e2e"]
    assert layer_paths(tmp_path, find("test"), custom=[mode]) == ()


def test_no_file_and_no_folder_are_no_layers(tmp_path: Path) -> None:
    assert names(tmp_path, "dev") == []
    assert names(tmp_path / "none", "dev") == []


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(os.name != "posix", reason="named pipes and devices")
@pytest.mark.parametrize("make", [make_folder, make_pipe, link_to_a_device])
def test_what_is_no_file_is_refused_by_name_and_never_read(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / ".env")

    with pytest.raises(UsageError, match="where an env file is expected") as caught:
        names(tmp_path, "dev")
    assert caught.value.where == str(tmp_path / ".env")
    with pytest.raises(UsageError, match="where an env file is expected"):
        read(tmp_path / ".env", tmp_path)


def test_a_layer_is_shown_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / ".env").write_text("# @sensitive\nA=1\nB=2\nA=3\n")

    layer = read(tmp_path / "web" / ".env", tmp_path)

    assert layer.file == "web/.env"
    assert layer.keys == ("A", "B")
    assert layer.marks["A"] == {"sensitive": ""}


def test_a_layer_outside_the_root_is_shown_with_its_way_there(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    touch(tmp_path, ".env")

    assert read(tmp_path / ".env", tmp_path / "app").file == "../.env"


def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^\.env: cannot be read: no such file") as caught:
        read(tmp_path / ".env", tmp_path)

    assert caught.value.hint


def test_templates_are_found_by_the_file_they_make(tmp_path: Path) -> None:
    touch(
        tmp_path, ".env.example", ".env.sample", ".env.local.template", ".env.production.dist",
        ".env.docker.example", ".env.render.example", ".envrc.example", "example.env", ".env",
    )  # fmt: skip

    assert {target: path.name for target, path in templates(tmp_path).items()} == {
        ".env": ".env.example",
        ".env.docker": ".env.docker.example",
        ".env.local": ".env.local.template",
        ".env.production": ".env.production.dist",
        ".env.render": ".env.render.example",
    }
    # What is set on a platform makes no file here.
    assert list(leftover(tmp_path)) == [".env.docker"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("target", ["gone", ".env"])
def test_an_env_file_that_is_a_link_to_nothing_is_an_error(tmp_path: Path, target: str) -> None:
    (tmp_path / ".env").symlink_to(target)

    with pytest.raises(UsageError, match="a link to nothing"):
        layer_paths(tmp_path, find("dev"))

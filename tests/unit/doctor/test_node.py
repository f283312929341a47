from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import node

if TYPE_CHECKING:
    from conftest import Examine, FakeRunner


@pytest.mark.parametrize(
    ("has", "asked", "state"),
    [
        ("22.1.0", ">=20 <23", "ok"),
        ("20.20.2", ">=22", "warning"),
        ("20.20.2", "^18 || ^20", "ok"),
        ("20.20.2", "", "ok"),
        ("20.20.2", "*", "ok"),
        ("", ">=20", "warning"),
    ],
)
def test_node_is_held_against_package_json(has: str, asked: str, state: str) -> None:
    assert node.judged(has, asked).state == state


def test_a_node_that_does_not_fit_names_the_range() -> None:
    found = node.judged("20.20.2", ">=22")

    assert found.message == "Node 20.20.2, package.json asks for >=22"
    assert [str(each) for each in found.where] == ["package.json"]


def test_node_is_asked_for_its_version(examine: Examine, runner: FakeRunner) -> None:
    runner.answer("node --version", "v22.3.0\n")

    (found,) = node.node(examine({"package.json": '{"engines":{"node":"22.x"}}'}))

    assert found.message == "Node 22.3.0 (package.json asks for 22.x)"


def test_a_project_without_package_json_needs_no_node(examine: Examine) -> None:
    assert not list(node.node(examine()))
    assert not list(node.manager(examine()))


@pytest.mark.parametrize("text", ["{", "[]", '{"engines": 20}'])
def test_a_broken_package_json_asks_for_nothing(
    examine: Examine, runner: FakeRunner, text: str
) -> None:
    runner.answer("node --version", "v22.3.0\n")

    (found,) = node.node(examine({"package.json": text}))

    assert found.state == "ok"


def test_the_manager_of_the_lock_file_is_missed(examine: Examine) -> None:
    (found,) = node.manager(examine({"package.json": "{}", "pnpm-lock.yaml": ""}))

    assert (found.state, found.subject) == ("warning", "pnpm")
    assert (found.message, found.fix) == ("not installed (pnpm-lock.yaml)", "corepack enable")


def installed(folder: Path, name: str) -> dict[str, str]:
    (folder / "bin").mkdir()
    (folder / "bin" / name).write_text("#!/bin/sh\n")
    (folder / "bin" / name).chmod(0o755)
    return {"PATH": str(folder / "bin")}


def test_a_second_lock_file_is_a_warning(examine: Examine, tmp_path: Path) -> None:
    files = {"package.json": "{}", "yarn.lock": "", "package-lock.json": "{}"}

    (found,) = node.manager(examine(files, environ=installed(tmp_path, "yarn")))

    assert (found.state, found.fix) == (
        "warning",
        "remove package-lock.json, or correct packageManager",
    )


@pytest.mark.parametrize(
    ("more", "state"), [({}, "unknown"), ({"node_modules/pg/package.json": "{}"}, "ok")]
)
def test_packages_that_nobody_installed_are_told(
    examine: Examine, tmp_path: Path, more: dict[str, str], state: str
) -> None:
    files = {"package.json": '{"dependencies":{"pg":"^8"}}', "package-lock.json": "{}", **more}

    (found,) = node.manager(examine(files, environ=installed(tmp_path, "npm")))

    assert (found.state, found.fix) == (state, "npm ci" if state == "unknown" else "")

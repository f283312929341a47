"""Package managers: which one it is, and what it is called with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.prisma import managers
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import DbSettings, Settings


def find(root: Path, files: Mapping[str, object], manager: str = "") -> managers.Manager:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    settings = Settings(db=DbSettings(manager=manager))
    folder = root / "packages" / "database"
    folder.mkdir(parents=True, exist_ok=True)
    return managers.find(Project(root, settings, SystemRunner({}), {}), folder)


LOCK = "packages/database/package-lock.json"


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ({}, "npm", "nothing says otherwise"),
        ({"yarn.lock": ""}, "yarn", "yarn.lock"),
        ({"bun.lockb": ""}, "bun", "bun.lockb"),
        ({"package.json": {"packageManager": "pnpm@10.1.0"}}, "pnpm", "package.json"),
        (
            {"package.json": {"devEngines": {"packageManager": {"name": "bun"}}}},
            "bun",
            "package.json",
        ),
        ({LOCK: "", "yarn.lock": ""}, "npm", "package-lock.json"),
        ({LOCK: "", "pnpm-workspace.yaml": ""}, "pnpm", "pnpm-workspace.yaml"),
    ],
)
def test_the_nearest_word_counts_except_inside_a_pnpm_workspace(
    tmp_path: Path, files: Mapping[str, object], name: str, reason: str
) -> None:
    found = find(tmp_path, files)
    assert (found.name, found.reason, found.doubt) == (name, reason, "")


def test_a_field_and_a_lock_file_that_disagree_are_said(tmp_path: Path) -> None:
    found = find(tmp_path, {"package.json": {"packageManager": "pnpm@10"}, "yarn.lock": ""})
    assert (found.name, found.doubt) == ("pnpm", "yarn.lock says otherwise")
    two = find(tmp_path, {"package.json": {}, "pnpm-lock.yaml": ""})
    assert (two.name, two.doubt) == ("pnpm", "yarn.lock says otherwise")


def test_the_setting_wins_and_is_one_of_four(tmp_path: Path) -> None:
    assert find(tmp_path, {"yarn.lock": ""}, "bun").name == "bun"
    with pytest.raises(UsageError, match="no such package manager: cargo"):
        find(tmp_path, {}, "cargo")


def test_arguments_follow_the_dashes_that_only_npm_needs() -> None:
    words = ("--name", "x")
    assert managers.script("npm", "db:migrate", words) == (
        *("npm", "run", "db:migrate", "--"),
        *words,
    )
    for name in ("pnpm", "yarn", "bun"):
        assert managers.script(name, "db:migrate", words) == (name, "run", "db:migrate", *words)
    assert managers.script("npm", "seed", ()) == ("npm", "run", "seed")


def test_no_call_of_the_local_prisma_can_download_it() -> None:
    calls = {name: managers.local(name, ("migrate", "deploy")) for name in managers.NAMES}
    assert calls == {
        "npm": ("npm", "exec", "--no", "--", "prisma", "migrate", "deploy"),
        "pnpm": ("pnpm", "exec", "prisma", "migrate", "deploy"),
        "yarn": ("yarn", "run", "prisma", "migrate", "deploy"),
        "bun": ("bun", "x", "--no-install", "prisma", "migrate", "deploy"),
    }
    for name in managers.NAMES:
        assert managers.offline(name)["NPM_CONFIG_OFFLINE"] == "true"
        assert managers.offline(name)["COREPACK_ENABLE_NETWORK"] == "0"

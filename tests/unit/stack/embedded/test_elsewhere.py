from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose.model import Service
from invoke_stack.environment.declared import Declared
from invoke_stack.modes import find
from invoke_stack.project import Project
from invoke_stack.stack.embedded import elsewhere


@pytest.fixture
def built(tmp_path: Path) -> Callable[..., Service]:
    """Make a service that is built from a folder with these scripts."""

    def make(folder: str, scripts: dict[str, str] | None = None, lock: str = "") -> Service:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        if scripts is not None:
            (place / "package.json").write_text(json.dumps({"scripts": scripts}))
        if lock:
            (place / lock).write_text("")
        return Service("web", build=json.dumps({"context": str(place)}))

    return make


@pytest.mark.parametrize(
    ("scripts", "lock", "line"),
    [
        (
            {"dev": "next dev", "start": "next start"},
            "",
            "inv env.run --service web --dir app -- npm run dev",
        ),
        (
            {"start": "node x"},
            "pnpm-lock.yaml",
            "inv env.run --service web --dir app -- pnpm run start",
        ),
        (
            {"build": "tsc"},
            "",
            "run it yourself with its values: inv env.run --service web -- COMMAND",
        ),
        (None, "", "run it yourself with its values: inv env.run --service web -- COMMAND"),
    ],
)
def test_a_built_service_is_run_by_its_own_package(
    make_project: Callable[..., Project],
    built: Callable[..., Service],
    scripts: dict[str, str] | None,
    lock: str,
    line: str,
) -> None:
    assert elsewhere.instead(make_project(), built("app", scripts, lock), find("dev")).endswith(
        line
    )


def test_the_folder_is_named_where_it_is_not_the_projects_own(
    make_project: Callable[..., Project], built: Callable[..., Service]
) -> None:
    said = elsewhere.instead(make_project(), built("app", {"dev": "x"}), find("dev"))

    assert said == "run it with: inv env.run --service web --dir app -- npm run dev"


def test_an_image_that_nothing_here_runs_is_named(make_project: Callable[..., Project]) -> None:
    service = Service("mail", image="axllent/mailpit:v1")

    assert (
        elsewhere.instead(make_project(), service, find("dev"))
        == "nothing here runs axllent/mailpit:v1"
    )


@pytest.mark.parametrize(
    ("mode", "command"),
    [
        ("dev", "inv env.run --service web -- npm run dev"),
        ("test", "inv env.run --test --service web -- npm run dev"),
        ("prod", "inv env.run --prod --service web -- npm run start"),
    ],
)
def test_the_command_for_what_needs_a_container_keeps_the_mode(
    declare: Callable[..., Declared],
    make_project: Callable[..., Project],
    tmp_path: Path,
    mode: str,
    command: str,
) -> None:
    scripts = {"dev": "next dev", "start": "next start"}
    (tmp_path / "package.json").write_text(json.dumps({"scripts": scripts}))
    services: dict[str, Any] = {"web": {"build": {"context": str(tmp_path)}}}

    (line,) = elsewhere.lines(make_project(), declare(services, mode=mode), ["web"])

    assert line == f"web is not started without Docker; run it with: {command}"

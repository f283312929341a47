"""The five layouts of the source documents, each with a one-line `tasks.py` and no settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from stacks import Project


class Layout(NamedTuple):
    """What `inv stack.up` without a flag brings up."""

    name: str
    mode: str
    services: set[str]
    app: str
    port: str
    database: str


LAYOUTS = [
    Layout(
        "hybrid",
        "dev",
        {"postgres", "redis", "web", "pgadmin", "redis-commander"},
        "web",
        "WEB_PORT",
        "postgres",
    ),
    Layout(
        "profiles",
        "dev",
        {"postgres", "redis", "web-dev", "pgadmin", "redis-commander"},
        "web-dev",
        "WEB_PORT",
        "postgres",
    ),
    Layout("selfhosted", "prod", {"app", "postgres"}, "app", "APP_PORT", "postgres"),
    Layout("split", "dev", {"backend", "frontend", "db", "redis"}, "backend", "BACKEND_PORT", "db"),
    Layout("backend", "dev", {"backend", "db"}, "backend", "BACKEND_PORT", "db"),
]


@pytest.fixture(scope="module", params=LAYOUTS, ids=lambda layout: layout.name)
def layout(request: pytest.FixtureRequest) -> Layout:
    chosen: Layout = request.param
    return chosen


@pytest.fixture(scope="module")
def prepared(layout: Layout, shared_project: Callable[..., Project]) -> Project:
    return shared_project(layout.name)


@pytest.fixture
def stack(prepared: Project, layout: Layout) -> Project:
    """The layout's stack, up: brought up by the first test and after one that took it down."""
    states = {each.state for each in prepared.containers().values()}
    if states != {"running"}:
        prepared.up()
    return prepared


def test_up_makes_every_service_of_the_layout_ready(stack: Project, layout: Layout) -> None:
    assert set(stack.containers()) == layout.services
    status, report = stack.get(layout.port)
    assert (status, report["status"], report["failed"]) == (200, "ok", [])


def test_up_prints_the_urls_on_stdout_and_the_rest_on_stderr(
    stack: Project, layout: Layout
) -> None:
    result = stack.up()
    assert f"http://localhost:{stack.ports[layout.port]}" in result.stdout
    assert f"mode {layout.mode};" in result.stderr
    assert "\x1b" not in result.text


def test_ps_shows_each_service_with_its_health(stack: Project, layout: Layout) -> None:
    result = stack.inv("stack.ps").ok()
    first_words = {line.split()[0] for line in result.stdout.splitlines()[1:]}
    assert first_words == layout.services
    assert any(
        line.startswith(layout.database) and "healthy" in line
        for line in result.stdout.splitlines()
    )


def test_logs_show_what_the_app_wrote_as_plain_text(stack: Project, layout: Layout) -> None:
    result = stack.inv("stack.logs", "-s", layout.app).ok()
    assert "listening on" in result.stdout
    assert "\x1b" not in result.stdout
    assert layout.database not in {
        line.partition("|")[0].strip() for line in result.stdout.splitlines()
    }


def test_exec_hands_every_word_to_the_program_and_returns_its_exit_code(
    stack: Project, layout: Layout
) -> None:
    script = 'echo "a  b" "$1" \'"\'; exit 7'
    result = stack.inv(
        "stack.exec", "-s", layout.app, "--", "sh", "-c", script, "sh", "x; y", "--json"
    )
    assert result.stdout == 'a  b x; y "\n'
    assert result.code == 7


def test_backup_writes_a_verified_dump_and_its_manifest(stack: Project, layout: Layout) -> None:
    result = stack.inv("db.backup", "--json").ok()
    dump = Path(stack.folder, result.document["file"])
    assert dump.is_file()
    assert dump.stat().st_size > 0
    assert dump.stat().st_mode & 0o077 == 0
    assert result.document["manifest"]
    listed = stack.inv("db.backups", "--json").ok().document["backups"]
    assert [Path(each["file"]).name for each in listed].count(dump.name) == 1
    sidecars = [
        json.loads(path.read_text())
        for path in dump.parent.glob("*.json")
        if dump.name.split(".")[0] in path.name
    ]
    assert sidecars


def test_down_removes_the_containers_and_keeps_the_volumes(stack: Project, layout: Layout) -> None:
    volumes = stack.listed("volume", "ls")
    result = stack.inv("stack.down").ok()
    assert stack.containers() == {}
    assert stack.listed("network", "ls") == []
    assert stack.listed("volume", "ls") == volumes != []
    assert all(name in result.stderr for name in layout.services)
    again = stack.inv("stack.down").ok()
    assert "nothing to remove" in again.stderr

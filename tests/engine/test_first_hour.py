"""The first hour where only a real engine shows what happens; the rest is in tests/tasks."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

import pytest
from stacks import Project, canary, free_port, run_docker

COMPOSE = """services:
  pg:
    image: postgres:16-alpine
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD:?}
      GREETING: ${GREETING}
    env_file: [.env]
    ports: ["127.0.0.1:${DB_PORT:?}:5432"]
    volumes: [".:/project:ro"]
    healthcheck: {test: [CMD, pg_isready, -h, 127.0.0.1], interval: 10s}
"""


@pytest.fixture(scope="module")
def odd(shared_project: Callable[..., Project]) -> Project:
    """A project as a Windows editor leaves it, in a folder with a space and an umlaut."""
    made = shared_project()
    made.folder = made.folder.rename(made.folder.with_name(f"größe und {made.name}"))
    made.secrets["DB_PASSWORD"] = canary()
    made.ports["DB_PORT"] = free_port()
    values = (
        f"DB_PASSWORD={made.secrets['DB_PASSWORD']}",
        f"DB_PORT={made.ports['DB_PORT']}",
        'GREETING="two words"',
        "",
    )
    for name, text in (("compose.yaml", COMPOSE), (".env", "\n".join(values))):
        (made.folder / name).write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    return made


def test_before_the_first_up_every_task_says_how_to_start(
    project: Callable[..., Project],
) -> None:
    fresh = project(compose="services:\n  pg:\n    image: postgres:16-alpine\n")

    for words in (
        ("db.wait",),
        ("db.backup",),
        ("db.shell", "-c", "SELECT 1"),
        ("db.snapshot", "--name", "x"),
        ("db.restore",),
    ):
        result = fresh.inv(*words)
        assert (words, result.code, result.stdout) == (words, 6, "")
        assert result.stderr == (
            "error: service pg: has no container\n  hint: start it with: inv stack.up\n"
        )


def test_what_windows_wrote_reaches_the_container_as_it_was_meant(odd: Project) -> None:
    odd.up()

    shown = odd.inv("stack.exec", "-s", "pg", "--", "sh", "-c", "echo [$GREETING]; ls /project")

    assert shown.ok().stdout.splitlines()[0] == "[two words]"
    assert "compose.yaml" in shown.stdout
    login = odd.inv("db.shell", "-c", "SELECT 42 AS answer").ok()
    assert "42" in login.stdout


def test_a_reader_that_goes_away_does_not_end_a_backup_half_way(odd: Project) -> None:
    odd.up()
    inv = shlex.join(odd.command("db.backup", "--label", "piped"))

    ran = subprocess.run(
        ["sh", "-c", f"{inv} 2>&1 | head -n 0"],
        cwd=odd.folder,
        env=odd.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (ran.stdout, ran.stderr) == ("", "")
    (backup,) = odd.inv("db.backups", "--json").ok().document["backups"]
    assert "piped" in backup["file"]
    assert odd.inv("db.verify").ok()
    assert not list(odd.folder.rglob("*.partial"))


def test_a_plan_as_a_document_changes_nothing(odd: Project) -> None:
    odd.up()
    before = sorted(odd.folder.rglob("*"))

    backup = odd.inv("--dry", "db.backup", "--json").ok().document
    reset = odd.inv("--dry", "db.snapshot", "--name", "x", "--json").ok().document

    assert (backup["schema"], backup["dry"]) == (1, True)
    assert any("pg_dump" in step for step in backup["plan"])
    assert any(step.startswith("write backups/") for step in backup["plan"])
    assert reset["plan"][0].startswith("copy postgres ")
    assert sorted(odd.folder.rglob("*")) == before


def test_the_port_of_the_running_stack_is_taken_for_another(
    odd: Project, project: Callable[..., Project]
) -> None:
    odd.up()
    port = odd.ports["DB_PORT"]
    other = project(
        compose=f"services:\n  web:\n    image: redis:7-alpine\n    ports: ['{port}:6379']\n"
    )

    result = other.inv("stack.up")

    assert (result.code, result.stdout) == (2, "")
    holder = run_docker("ps", "--filter", f"publish={port}", "--format", "{{.Names}}")
    assert result.error.startswith(f"web: port {port} is taken by container {holder} of the ")
    assert result.hint.endswith(f"or stop that one: docker stop {holder}")
    assert other.containers() == {}

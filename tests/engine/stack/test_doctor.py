"""The doctor on a real engine: a stack that runs, and what can be wrong with one."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stacks import Project, Result

COMPOSE = """
services:
  pg:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_DB: app
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}
    ports: ["127.0.0.1:${PG_PORT:-5432}:5432"]
    healthcheck: {test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 2s}
"""
# What a server says and does whose volume was made by another major version.
UNFIT = """
services:
  pg:
    image: postgres:16-alpine
    entrypoint:
      - sh
      - -c
      - >-
        echo 'FATAL:  database files are incompatible with server';
        echo 'DETAIL:  The data directory was initialized by PostgreSQL version 15,
        which is not compatible with this version 16.14.'; exit 1
"""


@pytest.fixture(scope="module")
def running(shared_project: Callable[..., Project], port: Callable[[], int]) -> Project:
    secret = "canary-7f3b0c9d2e"
    stack = shared_project(compose=COMPOSE, **{".env": f"POSTGRES_PASSWORD={secret}\n"})
    stack.secrets["POSTGRES_PASSWORD"] = secret
    (stack.folder / ".env").chmod(0o600)
    stack.ports["PG_PORT"] = port()
    stack.environ["PG_PORT"] = str(stack.ports["PG_PORT"])
    stack.up()
    return stack


def findings(result: Result, rule: str) -> list[dict[str, Any]]:
    return [each for each in result.document["findings"] if each["rule"] == rule]


def passes(result: Result, rule: str) -> dict[str, str]:
    return {
        each["subject"]: each["message"]
        for each in result.document["passes"]
        if each["rule"] == rule
    }


def test_a_healthy_stack_has_no_error(running: Project) -> None:
    result = running.inv("stack.doctor", "--json").ok()

    assert not result.document["findings"] or result.document["findings"][0]["severity"] != "error"
    assert passes(result, "DOC-DATABASE")["pg"].startswith("postgres 16.")
    assert passes(result, "DOC-CLOCK").keys() == {"docker", "pg"}
    assert str(running.ports["PG_PORT"]) in passes(result, "DOC-PORTS")["ports"]
    assert {"DOC-ENGINE", "DOC-COMPOSE", "DOC-STACK", "DOC-ENV", "DOC-TASKS"} <= {
        each["rule"] for each in result.document["passes"]
    }


def test_people_read_the_same_line_by_line(running: Project) -> None:
    result = running.inv("stack.doctor").ok()

    assert any(
        line.startswith("✓ database") and "postgres 16." in line
        for line in result.stdout.splitlines()
    )
    assert result.stderr == ""


def test_nothing_is_changed(running: Project) -> None:
    before = running.identities(), sorted(running.folder.rglob("*"))

    running.inv("stack.doctor").ok()

    assert (running.identities(), sorted(running.folder.rglob("*"))) == before


def test_files_that_name_another_major_than_the_volume_has(running: Project) -> None:
    running.write("compose.yaml", COMPOSE.replace("postgres:16-alpine", "postgres:17-alpine"))
    try:
        result = running.inv("stack.doctor", "--json")
    finally:
        running.write("compose.yaml", COMPOSE)

    (found,) = [each for each in findings(result, "DOC-DATABASE") if each["severity"] == "error"]
    assert result.code == 3
    assert found["subject"] == "pg"
    assert "the compose file says postgres:17-alpine" in found["message"]
    assert found["fix"].startswith("inv db.upgrade moves the data to 17")


def test_a_migration_that_wants_what_the_server_has_not(running: Project) -> None:
    path = running.write("migrations/001_init.sql", "CREATE EXTENSION postgis_of_nowhere;\n")
    try:
        result = running.inv("stack.doctor", "--json")
        path.write_text("CREATE EXTENSION IF NOT EXISTS plpgsql;\n")
        again = running.inv("stack.doctor", "--json").ok()
    finally:
        path.unlink()

    (found,) = findings(result, "DOC-EXTENSIONS")
    assert (found["subject"], found["where"][0]["file"]) == (
        "postgis_of_nowhere",
        "migrations/001_init.sql",
    )
    assert passes(again, "DOC-EXTENSIONS") == {"pg": "has plpgsql"}


def test_a_missing_variable_is_told_before_the_stack_is_started(running: Project) -> None:
    result = running.inv("stack.doctor", "--test", "--json", environ={"POSTGRES_PASSWORD": ""})

    (found,) = findings(result, "DOC-STACK")
    assert result.code == 3
    assert "POSTGRES_PASSWORD is required and not set" in found["message"]


def test_a_port_that_another_program_holds(
    project: Callable[..., Project], port: Callable[[], int]
) -> None:
    number = port()
    stack = project(compose=COMPOSE)
    with contextlib.closing(socket.create_server(("127.0.0.1", number))):
        environ = {"PG_PORT": str(number), "POSTGRES_PASSWORD": "x" * 16}
        result = stack.inv("stack.doctor", environ=environ)

    assert result.code == 3
    assert f"pg: port {number} is held by " in result.stdout
    assert "set PG_PORT to a free port" in result.stdout
    assert "? database" in result.stdout
    assert "start it with: inv stack.up" in result.stdout


def test_a_volume_of_another_major_version(project: Callable[..., Project]) -> None:
    stack = project(compose=UNFIT)
    stack.inv("stack.up")

    result = stack.inv("stack.doctor", "--json")

    (found,) = findings(result, "DOC-DATABASE")
    assert result.code == 3
    assert "its volume was made by PostgreSQL 15" in found["message"]
    assert "set its image to PostgreSQL 15 again" in found["fix"]


def test_a_stack_without_docker(project: Callable[..., Project], port: Callable[[], int]) -> None:
    """The machine's own PostgreSQL, of whatever version, is named, started and found again."""
    stack = project(compose=COMPOSE, **{".env": "POSTGRES_PASSWORD=canary-4410cc92d1\n"})
    stack.secrets["POSTGRES_PASSWORD"] = "canary-4410cc92d1"
    (stack.folder / ".env").chmod(0o600)
    stack.environ |= {"INVSTACK_ENGINE": "embedded", "PG_PORT": str(port())}

    stack.write("migrations/001_init.sql", "CREATE EXTENSION postgis_of_nowhere;\n")
    before = stack.inv("stack.doctor")
    stack.write("migrations/001_init.sql", "CREATE EXTENSION IF NOT EXISTS plpgsql;\n")
    again = stack.inv("stack.doctor").ok()
    stack.up()
    try:
        during = stack.inv("stack.doctor", "--json").ok()
    finally:
        stack.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()

    assert "✓ engine      embedded: setting engine: embedded" in before.stdout
    assert before.code == 3
    assert "✗ extensions  postgis_of_nowhere: migrations/001_init.sql creates it" in before.stdout
    assert "✓ extensions  pg: has plpgsql" in again.stdout
    assert "fix: start it with: inv stack.up" in again.stdout
    assert passes(during, "DOC-DATABASE")["pg"].startswith("postgres ")
    assert stack.environ["PG_PORT"] in passes(during, "DOC-PORTS")["ports"]
    assert not passes(during, "DOC-CLOCK")

"""A machine without Docker: what needs none works there, and the rest says one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Stage

COMPOSE = """\
services:
  db:
    image: postgres:16-alpine
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD:?}"}
    ports: ["${DB_PORT:-5433}:5432"]
  web:
    build: .
    env_file: .env
"""
OVERRIDE = "services: {web: {ports: ['${WEB_PORT:-3001}:3000']}}\n"
ENV = "DB_PASSWORD=canary-4711\nDATABASE_URL=postgresql://app:${DB_PASSWORD}@db:5432/app\n"


@pytest.fixture
def bare(stage: Stage) -> Stage:
    """Return a project on a machine that has no `docker`."""
    (stage.bin / "docker").unlink()
    stage.environ["PATH"] = str(stage.bin)
    stage.write("compose.yaml", COMPOSE)
    stage.write("compose.dev.yaml", OVERRIDE)
    stage.write(".env", ENV)
    return stage


def test_values_are_shown_with_their_places(bare: Stage) -> None:
    values = bare.inv("env.show", "--json").document()["values"]

    assert (values["DB_PORT"]["file"], values["DB_PORT"]["value"]) == ("compose.yaml", "5433")
    assert (values["WEB_PORT"]["file"], values["WEB_PORT"]["value"]) == ("compose.dev.yaml", "3001")


def test_both_views_of_a_url_are_known(bare: Stage) -> None:
    ran = bare.inv("env.explain", "-k", "DATABASE_URL")

    assert ran.code == 0, ran.err
    assert "localhost:5433" in ran.out
    assert "canary" not in ran.out + ran.err


def test_what_was_found_is_shown(bare: Stage) -> None:
    ran = bare.inv("stack.config")

    assert ran.code == 0, ran.err
    assert "compose.dev.yaml" in ran.out


def test_nothing_is_up_is_no_error(bare: Stage) -> None:
    ran = bare.inv("stack.ps", "--json")

    assert ran.code == 0, ran.err
    assert (ran.document()["engine"], ran.document()["services"]) == ("embedded", [])
    assert "engine: embedded, on this machine without Docker: docker is not on PATH" in ran.err


def test_images_need_docker_and_that_is_one_line(bare: Stage) -> None:
    ran = bare.inv("image.size")

    assert ran.code == 2
    assert ran.err.startswith("error: docker: not installed or not on PATH\n  hint: ")


def test_files_that_need_compose_are_refused_with_their_line(bare: Stage) -> None:
    bare.write("compose.dev.yaml", "services:\n  web:\n    ports: !reset []\n")

    ran = bare.inv("stack.config")

    assert ran.code == 2
    assert ran.err == (
        "error: compose.dev.yaml:3: `!reset` cannot be read without Docker Compose\n"
        "  hint: write out what it brings, or install Docker Compose, which can read it\n"
    )


def test_a_stack_that_ran_on_docker_is_not_started_anew(bare: Stage) -> None:
    bare.write(".invoke-stack/stack.json", '{"project": "shop", "mode": "dev", "engine": "docker"}')

    for task in ("stack.up", "stack.ps", "stack.down"):
        ran = bare.inv(task)

        assert (task, ran.code) == (task, 4)
        assert ran.err.startswith(
            "error: docker: this stack last ran on Docker, and docker is not on PATH\n"
        )
        assert "INVSTACK_ENGINE=embedded inv stack.up" in ran.err

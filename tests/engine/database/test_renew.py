"""`db.reset --volume`: a fresh volume, after a backup of all that was in the old one."""

from __future__ import annotations

from typing import Any

import pytest
from stacks import run_docker

pytestmark = pytest.mark.engine

COMPOSE = """
services:
  pg:
    image: postgres:17
    stop_grace_period: 2s
    healthcheck: {test: [CMD, pg_isready, -h, 127.0.0.1]}
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: canary-rn-pw, POSTGRES_DB: shop}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
"""
MIGRATIONS = {
    "migrations/0001_item.sql": "CREATE TABLE item (name text);",
    "migrations/seed.sql": "INSERT INTO item VALUES ('first');",
}
OTHERS = """
CREATE DATABASE other;
CREATE ROLE reader;
CREATE TABLE old AS SELECT 7 AS x;
"""


def psql(stack: Any, statement: str, database: str = "shop") -> str:
    words = ("psql", "-XqAt", "-U", "app", "-d", database, "-v", "ON_ERROR_STOP=1")
    return run_docker("exec", f"{stack.name}-pg-1", *words, "-c", statement)


def made(stack: Any) -> str:
    return run_docker("volume", "inspect", "--format", "{{.CreatedAt}}", f"{stack.name}_data")


def test_a_fresh_volume_is_filled_and_the_old_content_comes_back(project: Any) -> None:
    stack = project(compose=COMPOSE, **MIGRATIONS)
    stack.up()
    for statement in OTHERS.strip().splitlines():
        psql(stack, statement)
    psql(stack, "CREATE TABLE t AS SELECT 1 AS x", "other")
    before = made(stack)

    refused = stack.inv("db.reset", "--volume", "--yes")
    wrong = stack.inv("db.reset", "--volume", "--yes", "--confirm", "other")
    plan = stack.inv("--dry", "db.reset", "--volume").ok()

    assert (refused.code, wrong.code) == (4, 4)
    assert f"removes volume {stack.name}_data of service pg with all of it" in refused.stderr
    assert "database other  " in refused.stderr
    assert "back up other, postgres, shop" in plan.stderr
    assert made(stack) == before

    done = stack.inv("db.reset", "--volume", "--confirm", "shop", "--json").ok().document

    assert made(stack) != before
    assert [file.split("/")[1] for file in done["backups"]] == ["other", "shop"]
    assert psql(stack, "SELECT name FROM item") == "first"
    assert psql(stack, "SELECT count(*) FROM pg_roles WHERE rolname = 'reader'") == "0"
    stack.inv("db.restore", "--file", done["backups"][1], "--yes").ok()
    assert psql(stack, "SELECT x FROM old") == "7"

"""`db.generate` needs the schema and nothing that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

PRISMA = '#!/bin/sh\necho "$* $DATABASE_URL" > called\n'
SCHEMA = 'generator client {\n  provider = "prisma-client"\n}\n'
URL = "postgresql://app:canary-4711@db:5432/app?schema=x"
DATABASE: dict[str, Any] = {"db": {"image": "postgres:16"}}
WEB: dict[str, Any] = {"web": {"build": "."}}


@pytest.fixture
def app(stage: Stage) -> Stage:
    """A package with a Prisma that notes how it is called, and no engine that answers."""
    stage.write("package.json", '{"devDependencies": {"prisma": "7.0.0"}}')
    stage.write("prisma/schema.prisma", SCHEMA)
    stage.write("node_modules/prisma/package.json", '{"version": "7.0.0"}')
    for path in (stage.write("node_modules/.bin/prisma", PRISMA), stage.bin / "node"):
        path.touch()
        path.chmod(0o755)
    stage.environ["DOCKER_HOST"] = f"unix://{stage.bin}/none.sock"
    return stage


def called(stage: Stage) -> str:
    return (stage.root / "called").read_text().strip()


@pytest.mark.parametrize("state", ["", "exited"])
def test_a_database_that_does_not_run_is_not_needed(
    app: Stage, engine: FakeEngine, state: str
) -> None:
    app.stack(DATABASE)
    app.write(".env", f"DATABASE_URL={URL}\n")
    if state:
        engine.container("db", state=state, folder=str(app.root), image="postgres:16")

    ran = app.inv("db.generate")

    assert ran.code == 0, ran.err
    assert called(app) == f"generate {URL}"
    assert "canary" not in ran.out + ran.err


def test_nor_is_docker(app: Stage) -> None:
    app.stack(DATABASE)

    ran = app.inv("db.generate", INVSTACK_ENGINE="docker")

    assert ran.code == 0, ran.err
    assert called(app).startswith("generate postgresql://")


@pytest.mark.parametrize("services", [WEB, {**DATABASE, "other": {"image": "postgres:16"}}])
def test_nor_is_there_one_database_alone_in_the_stack(
    app: Stage, engine: FakeEngine, services: dict[str, Any]
) -> None:
    service = {"environment": {"DATABASE_URL": URL}}
    app.stack({**services, "web": {**WEB["web"], **service}})

    ran = app.inv("db.generate")

    assert ran.code == 0, ran.err
    assert called(app) == f"generate {URL}"


def test_a_database_that_runs_is_the_one_that_the_tool_is_told(
    app: Stage, engine: FakeEngine
) -> None:
    app.stack(DATABASE)
    app.write(".env", f"DATABASE_URL={URL}\n")
    place = {"folder": str(app.root), "image": "postgres:16", "ports": {5432: 5439}}
    engine.container("db", **place)

    assert app.inv("db.generate").code == 0
    assert called(app) == f"generate {URL.replace('db:5432', '127.0.0.1:5439')}"


def test_one_that_runs_where_no_program_here_gets_to_is_no_obstacle(
    app: Stage, engine: FakeEngine
) -> None:
    app.stack(DATABASE)
    app.write(".env", f"DATABASE_URL={URL}\n")
    engine.container("db", folder=str(app.root), image="postgres:16")

    assert app.inv("db.generate").code == 0
    assert called(app) == f"generate {URL}"

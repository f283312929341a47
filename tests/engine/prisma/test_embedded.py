"""The real Prisma on a database that the embedded engine runs."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from prisma_projects import CONFIG, FIRST, GENERATOR, INIT, MODELS, SCHEMA, SEED, VERSIONS
from stacks import Begun, Project, canary, free_port

if TYPE_CHECKING:
    from prisma_projects import Kit

COMPOSE = """
services:
  pg:
    image: postgres:16-alpine
    environment:
      POSTGRES_PASSWORD: ${PASSWORD}
      POSTGRES_DB: shop
    ports: ["127.0.0.1:${PG_PORT}:5432"]
  web:
    build: .
    environment:
      DATABASE_URL: ${DATABASE_URL}
"""
USERS = 'SELECT count(*) FROM "User"'


@pytest.fixture
def app(kit: Kit, project: Callable[..., Project]) -> Iterator[Project]:
    """A project whose app has the database's URL as a container of the stack reaches it."""
    secret, port = canary(), free_port()
    files = {
        ".env": f"PASSWORD={secret}\nPG_PORT={port}\n"
        "DATABASE_URL=postgresql://postgres:${PASSWORD}@pg:5432/shop?schema=public\n",
        "package.json": json.dumps({"private": True, "devDependencies": {"prisma": VERSIONS["7"]}}),
        "prisma.config.ts": CONFIG,
        "prisma/schema.prisma": SCHEMA["7"].format(GENERATOR, MODELS),
        "prisma/seed.js": SEED,
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        f"prisma/migrations/{FIRST}/migration.sql": INIT,
    }
    made = project(compose=COMPOSE, **files)
    made.secrets["PASSWORD"] = secret
    made.environ |= {**kit.environ, "INVSTACK_ENGINE": "embedded"}
    (made.folder / "node_modules").symlink_to(kit.modules["7"])
    made.up()
    yield made
    made.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()


def test_prisma_migrates_seeds_and_resets_without_docker(app: Project) -> None:
    assert app.inv("db.status", "--json").document["pending"] == [FIRST]
    app.inv("db.migrate", "--prod").ok()
    app.inv("db.generate").ok()
    assert (app.folder / "generated").is_dir()
    app.inv("db.seed").ok()
    assert app.inv("db.status", "--json").ok().document["clean"]

    migration = "prisma/migrations/20240102000000_more/migration.sql"
    app.write(migration, "INSERT INTO \"User\" (email) VALUES ('more@example.com');\n")
    app.inv("db.reset", "--yes").ok()
    assert app.inv("db.shell", "-c", USERS).ok().stdout == "2\n"


def test_the_client_is_made_while_nothing_runs_and_nobody_has_written_a_url(app: Project) -> None:
    app.inv("stack.down").ok()
    lines = (app.folder / ".env").read_text().splitlines()
    app.write(
        ".env", "\n".join(each for each in lines if not each.startswith("DATABASE_URL")) + "\n"
    )

    app.inv("db.generate").ok()

    assert (app.folder / "generated").is_dir()


def test_studio_shows_it_to_this_machine(
    app: Project, begin: Callable[..., Begun], until: Callable[..., None]
) -> None:
    port = free_port()
    run = begin(app, "db.studio", "--port", str(port))
    until(lambda: f"http://localhost:{port}" in run.out.read_text(), 60, "it never answers")

    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
        assert answer.status == 200
    run.signal(signal.SIGINT, group=False)
    assert run.end().code == 130


def test_a_prisma_that_is_not_installed_here_is_looked_for_nowhere_else(app: Project) -> None:
    (app.folder / "node_modules").unlink()

    done = app.inv("db.status")

    assert done.code == 2
    assert "prisma is not installed here" in done.error
    assert "npm install" in done.hint

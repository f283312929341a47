"""Where this machine has no Prisma: in the service that has it, or in one made for it."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prisma_projects import CONFIG, FIRST, INIT, MODELS, SCHEMA, SEED, VERSIONS
from stacks import Begun, canary, free_port, run_docker, until

if TYPE_CHECKING:
    from prisma_projects import Kit
    from stacks import Project

COMPOSE = """
services:
  db:
    image: postgres:16-alpine
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: {password}, POSTGRES_DB: app}}
    healthcheck: {{test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 5s}}
  app:
    depends_on: {{db: {{condition: service_healthy}}}}
    environment:
      DATABASE_URL: postgresql://app:{password}@db:5432/app
      PRISMA_SCHEMA_ENGINE_BINARY: {engine}
    stop_grace_period: 0s
    volumes: ["{scratch}:{scratch}:ro"{more}]
    build:
      context: .
      {target}
      additional_contexts: {{modules: {modules}}}
"""
DOCKERFILE = """FROM node:22-slim AS builder
WORKDIR /app
{copy}COPY prisma ./prisma
COPY prisma.config.ts package.json ./
CMD ["sleep", "600"]
FROM node:22-slim AS runner
WORKDIR /app
CMD ["sleep", "600"]
"""
POST = "\nmodel Post {\n  id Int @id\n}\n"


def made(make: Callable[..., Project], kit: Kit, *, mounted: bool) -> Project:
    """Make a project that has Prisma in its image alone: mounted, or copied by a build stage."""
    password = canary()
    modules = kit.modules["7"]
    more = f', ".:/app", "{modules}:/app/node_modules:ro"' if mounted else ""
    compose = COMPOSE.format(
        password=password,
        engine=kit.engine,
        scratch=kit.engine.parent,
        modules=modules,
        more=more,
        target=f"target: {'builder' if mounted else 'runner'}",
    )
    copy = "" if mounted else "COPY --from=modules . ./node_modules\n"
    files = {
        "compose": compose,
        "Dockerfile": DOCKERFILE.format(copy=copy),
        "package.json": json.dumps({"devDependencies": {"prisma": VERSIONS["7"]}}),
        "prisma.config.ts": CONFIG,
        "prisma/schema.prisma": SCHEMA["7"].format("", MODELS),
        "prisma/seed.js": SEED,
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        f"prisma/migrations/{FIRST}/migration.sql": INIT,
    }
    project = make(**files)
    project.secrets["password"] = password
    return project


def post(project: Project) -> None:
    path = project.folder / "prisma" / "schema.prisma"
    path.write_text(path.read_text() + POST)


def written(project: Project) -> list[tuple[str, int]]:
    """Return the migrations after the first one, and whose they are."""
    folder = project.folder / "prisma" / "migrations"
    found = sorted(each for each in folder.glob("*/migration.sql"))[1:]
    return [(each.parent.name[15:], each.stat().st_uid) for each in found]


def test_the_service_that_has_prisma_does_everything(
    kit: Kit, project: Callable[..., Project], tmp_path: Path
) -> None:
    stack = made(project, kit, mounted=True)
    stack.up()

    done = stack.inv("db.migrate", "--json")
    assert done.ok().document["applied"] == [FIRST]
    assert "on service app" in done.stderr
    assert "seeded the first user" in stack.inv("db.seed").ok().stderr
    assert stack.inv("db.status").ok().stdout == "up to date\n"

    post(stack)
    assert stack.inv("db.migrate", "--name", "add_post").ok().stdout[15:] == "add_post\n"
    assert written(stack) == [("add_post", os.getuid())]

    port = free_port()
    run = Begun(stack, ("db.studio", "--port", str(port)), tmp_path / "studio.log")
    try:
        until(lambda: f"http://localhost:{port}" in run.out.read_text(), 60, "it never answers")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
            assert answer.status == 200
        published = run_docker(
            "ps", "--filter", f"name={stack.name}-studio", "--format", "{{.Ports}}"
        )
        assert f"127.0.0.1:{port}->" in published
        assert published.count("->") == 1
    finally:
        run.signal(signal.SIGINT, group=False)
    assert run.end(40).code == 130
    assert run_docker("ps", "--quiet", "--filter", f"name={stack.name}-studio") == ""
    # Apart from the app, as `networks:` can make it by mistake: our own client, in the database's
    # container, still gets its answer, so it is Prisma that meets nobody.
    run_docker("network", "disconnect", f"{stack.name}_default", f"{stack.name}-db-1")
    apart = stack.inv("db.status")
    assert apart.code == 6, apart.text
    assert "no database server answers at db:5432" in apart.error
    assert "P1001" in apart.stderr


def test_an_image_without_prisma_is_helped_by_the_stage_that_built_it(
    kit: Kit, project: Callable[..., Project]
) -> None:
    stack = made(project, kit, mounted=False)
    stack.up()

    done = stack.inv("db.migrate", "--json")
    assert done.ok().document["applied"] == [FIRST]
    assert "a container of app's stage builder" in done.stderr

    post(stack)
    stack.inv("db.migrate", "--name", "add_post").ok()
    assert written(stack) == [("add_post", os.getuid())]
    assert stack.inv("db.status").ok().stdout == "up to date\n"
    assert not (stack.folder / ".invoke-stack" / "prisma.json").exists()

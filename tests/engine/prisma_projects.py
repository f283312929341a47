"""Projects with the real Prisma CLI, 6 and 7, on one PostgreSQL server that all of them share.

The CLI comes from npm, once for each session; the one executable that it would download from
elsewhere is replaced by tests/engine/prisma/engine.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest
from stacks import ONE_LINE, Project, canary, free_port, run_docker

HERE = Path(__file__).parent / "prisma"
VERSIONS = {"6": "6.19.3", "7": "7.10.0"}
MANAGERS = ("pnpm@10.34.8", "@yarnpkg/cli-dist@4.18.1", "bun@1.4.5")
INSTALL = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save")

COMPOSE = """
name: {name}
services:
  pg:
    image: postgres:16-alpine
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: {password}, POSTGRES_DB: app}}
    ports: ["127.0.0.1:{port}:5432"]
    healthcheck: {{test: [CMD, pg_isready, -h, 127.0.0.1, -U, app], interval: 5s}}
"""
MODELS = """
model User {
  id    Int    @id @default(autoincrement())
  email String @unique
}
"""
SCHEMA = {
    "6": 'datasource db {{\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}}\n{}{}',
    "7": 'datasource db {{\n  provider = "postgresql"\n}}\n{}{}',
}
GENERATOR = 'generator client {\n  provider = "prisma-client"\n  output = "../generated"\n}\n'
CONFIG = """import { defineConfig, env } from 'prisma/config'
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations', seed: 'node prisma/seed.js' },
  datasource: { url: env('DATABASE_URL') },
})
"""
INIT = """CREATE TABLE "User" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
"""
SEED = """const { Client } = require('pg')
async function main() {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query(`INSERT INTO "User" (email) VALUES ('ada@example.com') ON CONFLICT DO NOTHING`)
  console.log('seeded the first user')
  await client.end()
}
main().catch((problem) => { console.error(problem); process.exit(1) })
"""
Begun: TypeAlias = Future[None]
FIRST = "20240101000000_init"


@dataclass(frozen=True)
class Kit:
    """What npm installed.

    ``modules`` is `node_modules` by Prisma's version, ``bin`` holds the package managers,
    ``engine`` is the program that stands in for Prisma's download.
    """

    modules: dict[str, Path]
    bin: Path
    engine: Path
    environ: dict[str, str]


@dataclass
class Server:
    """One PostgreSQL server in a Compose project of its own."""

    folder: Path
    name: str
    port: int
    password: str = field(repr=False)

    @property
    def container(self) -> str:
        return f"{self.name}-pg-1"

    def psql(self, database: str, statements: str) -> str:
        words = ("exec", self.container, "psql", "-XqAt", "-U", "app", "-d", database)
        return run_docker(*words, "-v", "ON_ERROR_STOP=1", "-c", statements)


@dataclass
class App(Project):
    """A project with Prisma and a database of its own on the shared server."""

    version: str = "7"
    server: Server | None = None
    database: str = ""
    kit: Kit | None = None
    prisma_folder: str = "prisma"

    @property
    def prisma(self) -> Path:
        return self.folder / self.prisma_folder

    def sql(self, statements: str) -> str:
        assert self.server is not None
        return self.server.psql(self.database, statements)

    def tables(self) -> list[str]:
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        return self.sql(listed).split()

    def url(self, *, user: str = "app", password: str = "", database: str = "") -> None:
        """Write the app's own DATABASE_URL, as a developer has it: from this machine's side."""
        assert self.server is not None
        login = f"{user}:{password or self.server.password}"
        place = f"localhost:{self.server.port}/{database or self.database}"
        self.write(".env", f"DATABASE_URL=postgresql://{login}@{place}?schema=public\n")

    def schema(self, more: str = "", generator: str = "") -> None:
        """Write the schema: the first model and more of them."""
        self.write(
            f"{self.prisma_folder}/schema.prisma",
            SCHEMA[self.version].format(generator, MODELS) + more,
        )

    def schema_field(self, field: str) -> None:
        """Add a field to the first model."""
        self.schema()
        path = self.prisma / "schema.prisma"
        path.write_text(path.read_text().replace("  email", f"  {field}\n  email"))

    def migration(self, name: str, sql: str) -> Path:
        return self.write(f"prisma/migrations/{name}/migration.sql", sql)

    def names(self) -> list[str]:
        """Return the migrations in the project, oldest first."""
        folder = self.prisma / "migrations"
        return sorted(each.name for each in folder.iterdir() if each.is_dir())


def node(scratch: Path) -> str:
    """Return a PATH with node and npm: this machine's, else those of the image."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("node") and shutil.which("npm"):
        return path
    home = scratch / "node"
    (home / "bin").mkdir(parents=True)
    made = run_docker("create", "node:22-slim")
    try:
        run_docker("cp", f"{made}:/usr/local/bin/node", str(home / "bin" / "node"))
        (home / "lib").mkdir()
        modules = f"{made}:/usr/local/lib/node_modules"
        run_docker("cp", modules, str(home / "lib"), timeout=120)
    finally:
        run_docker("rm", "--force", made)
    for name in ("npm", "npx"):
        link = home / "bin" / name
        link.symlink_to(home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")
    return f"{home / 'bin'}{os.pathsep}{path}"


def installed(scratch: Path) -> Kit:
    """Install everything from npm, side by side."""
    environ = {**os.environ, "PATH": node(scratch), "npm_config_update_notifier": "false"}
    shutil.copytree(HERE / "engine", scratch / "engine")
    wanted: dict[str, tuple[str, ...]] = {"engine": (), "managers": MANAGERS}
    wanted |= {each: (f"prisma@{VERSIONS[each]}", "pg@8.16.3") for each in VERSIONS}

    def install(name: str) -> None:
        folder = scratch / name
        folder.mkdir(exist_ok=True)
        if not (folder / "package.json").exists():
            (folder / "package.json").write_text('{"private": true}')
        done = subprocess.run(
            (*INSTALL, *wanted[name]),
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            required = os.environ.get("ENGINE_TESTS") == "require"
            (pytest.fail if required else pytest.skip)(f"npm install: {done.stderr[-600:]}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(install, wanted))
    for version in VERSIONS:
        link = ("node", str(scratch / "engine" / "link.js"), str(scratch / version))
        subprocess.run(link, env=environ, check=True, capture_output=True)
    stub = scratch / "query-engine.node"
    stub.touch()
    own = {"PATH": environ["PATH"], "PRISMA_QUERY_ENGINE_LIBRARY": str(stub)}
    modules = {version: scratch / version / "node_modules" for version in VERSIONS}
    return Kit(modules, managers(scratch), scratch / "engine" / "schema-engine.js", own)


def managers(scratch: Path) -> Path:
    """Return a folder with pnpm, yarn and bun; bun's is in a package for this platform."""
    modules, folder = scratch / "managers" / "node_modules", scratch / "bin"
    folder.mkdir()
    for name in ("pnpm", "yarn"):
        (folder / name).symlink_to((modules / ".bin" / name).resolve())
    (folder / "bun").symlink_to(next(modules.glob("@oven/*/bin/bun")))
    return folder


def server(folder: Path) -> Server:
    name = f"it-prisma-{secrets.token_hex(4)}"
    made = Server(folder, name, free_port(), canary())
    text = COMPOSE.format(name=name, password=made.password, port=made.port)
    (folder / "compose.yaml").write_text(text)
    words = ("compose", "--project-directory", str(folder), "up", "--detach", "--wait")
    run_docker(*words, timeout=120)
    return made


def app(root: Path, kit: Kit, on: Server, version: str, *, migrated: bool = False) -> App:
    """Make a project with one model, one migration and a seed; its database exists, empty."""
    database = f"db{secrets.token_hex(4)}"
    folder = root / f"{database}-{version}"
    secret = {"POSTGRES_PASSWORD": on.password}
    made = App(folder, on.name, dict(kit.environ), {}, secret, version, on, database, kit)
    made.write("tasks.py", ONE_LINE)
    # One server for all: its own folder is what its containers belong to.
    settings = {"stack": {"compose": {"files": [str(on.folder / "compose.yaml")]}}}
    made.write("invoke.yaml", json.dumps(settings))
    package = {"private": True, "devDependencies": {"prisma": VERSIONS[version]}}
    if version == "6":
        package["prisma"] = {"seed": "node prisma/seed.js"}
    else:
        made.write("prisma.config.ts", CONFIG)
    made.write("package.json", json.dumps(package))
    made.write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
    made.migration(FIRST, INIT)
    made.write("prisma/seed.js", SEED)
    made.schema()
    made.url()
    (folder / "node_modules").symlink_to(kit.modules[version])
    template = f"migrated{version}" if migrated else "template0"
    on.psql("app", f'CREATE DATABASE "{database}" TEMPLATE {template}')
    return made


def templates(root: Path, kit: Kit, on: Server) -> None:
    """Make a database for each version that has the first migration, by the real Prisma; once."""
    for version in VERSIONS:
        name = f"migrated{version}"
        if name not in on.psql("app", "SELECT datname FROM pg_database").split():
            first = app(root, kit, on, version)
            first.inv("db.migrate", "--prod").ok()
            on.psql("app", f'ALTER DATABASE "{first.database}" RENAME TO "{name}"')

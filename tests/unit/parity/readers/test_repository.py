"""Packages, Prisma schemas, env templates and language versions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.parity.readers import images, languages, packages, prisma, probes, templates
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace

Make = Callable[..., Workspace]
SCHEMA = """\
generator zod { provider = "zod-prisma" }
generator client {
  provider      = "prisma-client-js"
  binaryTargets = ["native", "linux-musl"]
}
datasource db {
  provider   = "postgresql"
  url        = env("DATABASE_URL") // main
  directUrl  = env("DIRECT_URL")
  extensions = [postgis(schema: "x"), unaccent]
}
"""


def test_a_package_has_lines_for_scripts_and_dependencies(workspace: Make) -> None:
    text = (
        '{\n "name": "a",\n "packageManager": "pnpm@9",\n "scripts": {\n  "dev": "x"\n },\n'
        ' "dependencies": {\n  "bullmq": "^5"\n }\n}'
    )

    found, problems = packages.read(workspace({"package.json": text, "pnpm-lock.yaml": ""}))

    root = found["."]
    assert problems == ()
    assert str(root.scripts["dev"].src) == "package.json:5"
    assert str(root.dependencies["bullmq"].src) == "package.json:8"
    assert (root.manager.value, str(root.manager.src)) == ("pnpm@9", "package.json:3")
    assert root.lockfiles == {"pnpm": "pnpm-lock.yaml"}


def test_broken_json_is_a_problem_and_the_others_are_read(workspace: Make) -> None:
    found, problems = packages.read(workspace({"package.json": "{", "a/package.json": "{}"}))

    assert list(found) == ["a"]
    assert [str(each.src) for each in problems] == ["package.json:1"]


def test_a_prisma_schema_and_its_migrations(workspace: Make) -> None:
    found = workspace(
        {
            "package.json": '{"devDependencies": {"prisma": "^6.2.0"}}',
            "packages/db/prisma/schema.prisma": SCHEMA,
            "packages/db/prisma/migrations/1_a/migration.sql": "",
            "packages/db/prisma/migrations/2_b/migration.sql": "",
        }
    )
    known = packages.read(found)[0]

    (schema,) = prisma.read(found, known)
    (tool,) = prisma.migrations(found, known, (schema,))

    assert (schema.provider.value, str(schema.src)) == (
        "postgresql",
        "packages/db/prisma/schema.prisma:6",
    )
    assert {key: each.line for key, each in schema.env.items()} == {
        "DATABASE_URL": 8,
        "DIRECT_URL": 9,
    }
    assert (schema.generator.value, schema.engine) == ("prisma-client-js", True)
    assert schema.extensions == ("postgis", "unaccent")
    assert schema.targets == ("native", "linux-musl")
    assert schema.version.value is not None
    assert schema.version.value.major == 6
    assert (tool.tool, tool.folder, tool.count) == ("prisma", "packages/db/prisma/migrations", 2)


@pytest.mark.parametrize(
    ("schema", "version", "engine"),
    [
        (SCHEMA, "^7.0.0", False),
        (SCHEMA.replace("prisma-client-js", "prisma-client"), "6.16", False),
        (SCHEMA, "5.11", True),
    ],
)
def test_prisma_without_its_rust_engine_needs_no_openssl(
    workspace: Make, schema: str, version: str, *, engine: bool
) -> None:
    found = workspace(
        {
            "package.json": f'{{"dependencies": {{"prisma": "{version}"}}}}',
            "prisma/schema.prisma": schema,
        }
    )

    assert prisma.read(found, packages.read(found)[0])[0].engine is engine


def test_prisma_7_names_its_variable_in_the_config(workspace: Make) -> None:
    config = (
        'export default defineConfig({\n  migrations: { path: "db/steps" },\n'
        '  datasource: { url: env("DB_URL") },\n})\n'
    )
    schema = 'datasource db {\n  provider = "postgresql"\n}\n'

    found = workspace(
        {"prisma.config.ts": config, "prisma/schema.prisma": schema, "db/steps/1/migration.sql": ""}
    )

    (read,) = prisma.read(found, {})
    assert {key: str(each) for key, each in read.env.items()} == {"DB_URL": "prisma.config.ts:3"}
    assert read.migrations == "db/steps"


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"api/alembic/env.py": ""}, "alembic"),
        ({"shop/migrations/0001_initial.py": "", "cart/migrations/0001_initial.py": ""}, "django"),
        ({"db/migrate/20240101_a.rb": ""}, "rails"),
        ({"sql/V1__a.sql": "", "sql/V2__b.sql": ""}, "flyway"),
        ({"drizzle/meta/_journal.json": "{}"}, "drizzle"),
        ({"package.json": '{"dependencies": {"knex": "3"}}'}, "knex"),
    ],
)
def test_migration_tools_are_found_once(workspace: Make, files: dict[str, str], tool: str) -> None:
    found = workspace(files)

    assert [each.tool for each in prisma.migrations(found, packages.read(found)[0], ())] == [tool]


TEMPLATE = """\
# cp docker/.env.docker.example ../.env.local
# REQUIRED in production
SITE_URL=https://x.io
export MODE=dev

EMPTY=
# OPTIONAL_KEY=1
# optional
TRACE=on
STRIPE_SECRET=sk_test_123
# @required
NEEDED=
"""


def test_a_template_tells_what_is_required_and_what_it_makes(workspace: Make) -> None:
    (found,), problems = templates.read(
        workspace({"docker/.env.docker.example": "\ufeff" + TEMPLATE})
    )

    assert problems == ()
    assert found.target == ".env.local"
    assert {key: each.required for key, each in found.keys.items()} == {
        "SITE_URL": True, "MODE": None, "EMPTY": False, "OPTIONAL_KEY": False, "TRACE": False,
        "STRIPE_SECRET": None, "NEEDED": True,
    }  # fmt: skip
    assert found.keys["OPTIONAL_KEY"].commented
    assert found.keys["STRIPE_SECRET"].value is None
    assert str(found.keys["SITE_URL"].src) == "docker/.env.docker.example:3"


@pytest.mark.parametrize(
    ("names", "wanted", "template"),
    [
        ([".env.example"], ".env", ".env.example"),
        ([".env.example"], ".env.local", ".env.example"),
        ([".env.production.example"], ".env", ""),
        ([".env.production.example", ".env.example"], ".env.production", ".env.production.example"),
        (["api/.env.sample"], "api/.env", "api/.env.sample"),
        (["api/.env.sample"], ".env", ""),
        # As env.init has it: a template whose own name no mode reads is for the file without one.
        (["docker/.env.docker.example"], ".env.local", "docker/.env.docker.example"),
        (
            ["docker/.env.docker.example", ".env.production.example"],
            ".env",
            "docker/.env.docker.example",
        ),
        (["a/.env.docker.example", "b/.env.vps.example"], ".env.local", ""),
        (["docker/.env.docker.example"], "secrets.env", ""),
    ],
)
def test_which_template_makes_an_env_file(
    workspace: Make, names: list[str], wanted: str, template: str
) -> None:
    known, _ = templates.read(workspace(dict.fromkeys(names, "A=b\n")))

    assert templates.of_file(known, wanted, {}) == template


def test_a_setting_decides_which_template_it_is(workspace: Make) -> None:
    known, _ = templates.read(workspace({".env.example": "", "ops/vars.env": ""}))

    assert templates.of_file(known, ".env", {".env": "ops/vars.env"}) == "ops/vars.env"


def test_every_place_that_states_a_language_s_version(workspace: Make) -> None:
    found = workspace(
        {
            ".nvmrc": "# pinned\nlts/jod\n",
            ".tool-versions": "python 3.12.1\nnodejs 20.1.0\n",
            "package.json": '{"engines": {"node": ">=18 <23"}}',
            "api/pyproject.toml": '[project]\nrequires-python = ">=3.11"\n',
            "go.mod": "module x\n\ngo 1.22\n",
        }
    )

    stated = languages.read(found, packages.read(found)[0])

    assert [(str(each.src), each.value and each.value.major) for each in stated["node"]] == [
        (".nvmrc:2", 22), (".tool-versions:2", 20), ("package.json:1", 18),
    ]  # fmt: skip
    assert [str(each.src) for each in stated["python"]] == [
        ".tool-versions:1",
        "api/pyproject.toml:2",
    ]
    assert stated["go"][0].value is not None
    assert stated["go"][0].value.minor == (1, 22)


@pytest.mark.parametrize(
    ("reference", "kind", "major"),
    [
        ("postgres:16-alpine", "postgres", 16), ("postgres", "postgres", None),
        ("postgis/postgis:16-3.4", "postgres", 16), ("pgvector/pgvector:pg17", "postgres", 17),
        ("timescale/timescaledb:2.14.2-pg15", "postgres", 15), ("redis:7", "keyvalue", 7),
        ("valkey/valkey:8.1", "keyvalue", 8), ("mysql:8.4", "mysql", 8), ("mongo:7", "mongo", 7),
        ("bitnami/postgresql:15.4.0@sha256:abc", "postgres", 15),
        ("rabbitmq:3-management", "queue", 3),
        ("postgres:latest", "postgres", None), ("postgres:alpine", "postgres", None),
    ],
)  # fmt: skip
def test_what_an_image_runs_and_in_which_version(
    reference: str, kind: str, major: int | None
) -> None:
    found = images.store(reference)
    version = images.tag_version(reference, Src("f", 1)).value

    assert found is not None
    assert found[0] == kind
    assert version is not None
    assert (version.major, version.floating) == (major, major is None)


def test_the_language_of_a_base_image() -> None:
    assert images.language("node:20-alpine", Src("f"))[0] == "node"  # type: ignore[index]
    assert images.language("mcr.io/x/y/node:20", Src("f")) is None
    assert images.language("alpine:3", Src("f")) is None


@pytest.mark.parametrize(
    ("command", "binary", "path", "port"),
    [
        ("curl -f http://localhost:3000/health || exit 1", "curl", "/health", 3000),
        ("wget -qO- http://127.0.0.1/ready?x=1", "wget", "/ready", None),
        ("pg_isready -U app", "pg_isready", "", None),
        ("node -e \"require('http').get('http://localhost:3000/api/health', r => 1)\"", "node",
         "/api/health", 3000),
        ('node -e "http.get(`http://localhost:\\${port}/api/health`, r => 1)"', "node",
         "/api/health", None),
        ("node -e \"get('http://localhost:' + port + '/up')\"", "node", "/up", None),
        ("node -e \"http.get({host: 'localhost', port: 80, path: '/x'})\"", "node", "/x", 80),
        ("curl localhost:8080", "curl", "/", 8080),
    ],
)  # fmt: skip
def test_the_url_of_a_health_check(command: str, binary: str, path: str, port: int | None) -> None:
    found = probes.probe("compose", [command], Src("f"), shell=True)  # noqa: S604 - says how the check is written

    assert (found.binary, found.path, found.port) == (binary, path, port)

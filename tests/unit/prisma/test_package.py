"""Finding the package that owns Prisma."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.prisma import package
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import DbSettings, Settings

SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
ASKS = {"devDependencies": {"prisma": "^6.19.0"}}


def project(root: Path, files: Mapping[str, object], **db: str) -> Project:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Project(root, Settings(db=DbSettings(**db)), SystemRunner({}), {})  # type: ignore[arg-type]


def found(root: Path, files: Mapping[str, object], **db: str) -> package.Package:
    return package.require(project(root, files, **db))


def test_a_schema_in_the_root_is_found_with_its_migrations_and_version(tmp_path: Path) -> None:
    files = {"package.json": ASKS, "prisma/schema.prisma": SCHEMA}
    each = found(tmp_path, files)
    assert each.folder == tmp_path
    assert each.schema == tmp_path / "prisma/schema.prisma"
    assert each.migrations == tmp_path / "prisma/migrations"
    assert (each.version, each.major, each.installed) == ("^6.19.0", 6, None)
    assert each.keys == ("DATABASE_URL",)


def test_the_installed_version_wins_over_the_wanted_one(tmp_path: Path) -> None:
    files = {
        "package.json": ASKS,
        "prisma/schema.prisma": SCHEMA,
        "node_modules/prisma/package.json": {"version": "7.10.0"},
    }
    assert found(tmp_path, files).major == 7


def test_a_package_of_a_monorepo_is_found_and_uses_what_the_root_installed(tmp_path: Path) -> None:
    files = {
        "package.json": {"private": True},
        "packages/database/package.json": ASKS,
        "packages/database/prisma/schema.prisma": SCHEMA,
        "node_modules/prisma/package.json": {"version": "6.1.0"},
    }
    each = found(tmp_path, files)
    assert each.folder == tmp_path / "packages/database"
    assert each.version == "6.1.0"


def test_a_config_file_says_where_schema_migrations_and_seed_are(tmp_path: Path) -> None:
    config = """
    import path from 'node:path'
    // schema: 'old/schema.prisma'
    export default defineConfig({
      schema: path.join('db', 'schema'),
      migrations: { path: 'db/steps', seed: 'tsx db/seed.ts' },
      datasource: { url: env('MAIN_URL'), shadowDatabaseUrl: env('SHADOW_URL') },
    })
    """
    files = {"package.json": ASKS, "prisma.config.ts": config, "db/schema/a.prisma": ""}
    each = found(tmp_path, files)
    assert each.schema == tmp_path / "db/schema"
    assert each.migrations == tmp_path / "db/steps"
    assert each.seed
    assert each.keys == ("MAIN_URL",)


def test_direct_urls_are_keys_too_and_comments_are_not(tmp_path: Path) -> None:
    schema = SCHEMA.replace("\n}", '\n  directUrl = env("DIRECT_URL")\n  // x = env("NO")\n}')
    each = found(tmp_path, {"package.json": ASKS, "prisma/schema.prisma": schema})
    assert each.keys == ("DATABASE_URL", "DIRECT_URL")


def test_package_json_may_name_the_schema_and_the_seed(tmp_path: Path) -> None:
    asks = {**ASKS, "prisma": {"schema": "db/my.prisma", "seed": "node seed.js"}}
    each = found(tmp_path, {"package.json": asks, "db/my.prisma": SCHEMA})
    assert each.schema == tmp_path / "db/my.prisma"
    assert each.migrations == tmp_path / "db/migrations"
    assert each.seed


def test_a_schema_that_is_gone_leaves_the_package_without_one(tmp_path: Path) -> None:
    files = {"package.json": ASKS, "prisma/migrations/1/migration.sql": ""}
    assert found(tmp_path, files).schema is None


def test_several_packages_ask_for_the_setting(tmp_path: Path) -> None:
    files = {
        f"packages/{name}/{file}": content
        for name in ("a", "b")
        for file, content in {"package.json": ASKS, "prisma/schema.prisma": SCHEMA}.items()
    }
    with pytest.raises(UsageError) as caught:
        found(tmp_path, files)
    assert caught.value.hint.endswith("found: packages/a, packages/b")
    assert found(tmp_path, files, package="packages/b").folder == tmp_path / "packages/b"
    with pytest.raises(UsageError, match="no Prisma project in packages"):
        found(tmp_path, files, package="packages")


def test_what_lies_in_node_modules_or_without_prisma_around_it_is_no_project(
    tmp_path: Path,
) -> None:
    files = {
        "package.json": {"private": True},
        "fixtures/prisma/schema.prisma": SCHEMA,
        "node_modules/x/package.json": ASKS,
        "node_modules/x/prisma/schema.prisma": SCHEMA,
    }
    assert package.find(project(tmp_path, files)) is None


def test_a_generator_is_seen_in_any_file_of_the_schema(tmp_path: Path) -> None:
    files = {"package.json": ASKS, "prisma/schema/a.prisma": SCHEMA}
    assert not package.generates(found(tmp_path, files))
    (tmp_path / "prisma/schema/b.prisma").write_text('generator client {\n  output = "x"\n}\n')
    assert package.generates(found(tmp_path, files))


@pytest.mark.parametrize(
    ("source", "fixed"),
    [
        ('url = "postgresql://u@h/d"', True),
        ('url = env("DATABASE_URL")\n  directUrl = "postgres://u@h/d"', True),
        ('url = env("DATABASE_URL")', False),
        ('// url = "postgres://u@h/d"\n  url = env("DATABASE_URL")', False),
        ('url = env("A")\n  shadowDatabaseUrl = "postgres://u@h/shadow"', False),
    ],
)
def test_a_url_that_is_written_out_is_noticed(tmp_path: Path, source: str, *, fixed: bool) -> None:
    schema = tmp_path / "schema.prisma"
    schema.write_text(f'datasource db {{\n  provider = "postgresql"\n  {source}\n}}\n')
    assert package.fixed_url(schema, "") is fixed

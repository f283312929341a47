"""What goes wrong, as the user is told it: our sentence, the next command, Prisma's own words."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from prisma_projects import FIRST, GENERATOR, INIT, VERSIONS
from stacks import canary, free_port, run_docker, until

if TYPE_CHECKING:
    from prisma_projects import App, Begun

LOCK = "SELECT pg_advisory_lock(72707369), pg_sleep(300)"
"""The lock that Prisma takes; it waits ten seconds for it, once it has come so far."""
HELD = """FROM pg_locks JOIN pg_database found ON found.oid = database
WHERE locktype = 'advisory' AND granted AND datname = current_database()"""


def a_wrong_password_is_said_without_showing_it(app: App) -> None:
    app.secrets["wrong"] = canary()
    app.url(password=app.secrets["wrong"])
    for words in (("db.status",), ("db.migrate", "--prod")):
        result = app.inv(*words)
        assert result.code == 6, result.text
        assert "the server does not let this user in" in result.error
        assert "inv env.explain -k DATABASE_URL" in result.stderr
        assert "P1000" in result.stderr


def a_missing_database_is_pending_and_made_by_migrating(app: App) -> None:
    app.database = f"{app.database}_new"
    app.url()
    result = app.inv("db.status", "--json")
    assert result.code == 3
    assert result.document["pending"] == [FIRST]
    assert f"database {app.database} does not exist yet" in result.document["notes"]

    app.inv("db.migrate", "--prod").ok()
    assert "User" in app.tables()


def a_missing_schema_is_named_before_anything_runs(app: App) -> None:
    (app.prisma / "schema.prisma").unlink()
    for task in ("db.migrate", "db.status", "db.generate"):
        result = app.inv(task)
        assert result.code == 2, result.text
        assert "there is no schema where Prisma looks for it" in result.error


def an_invalid_schema_is_shown_with_its_line(app: App) -> None:
    app.schema("\nmodel Broken {\n")
    for words in (("db.status",), ("db.migrate", "--prod"), ("db.migrate", "--name", "x")):
        result = app.inv(*words)
        assert result.code == 2, result.text
        assert "the schema is not valid: prisma/schema.prisma:" in result.error
        assert "P1012" in result.stderr


def a_project_without_migrations_is_no_error(app: App) -> None:
    (app.prisma / "migrations" / FIRST / "migration.sql").unlink()
    (app.prisma / "migrations" / FIRST).rmdir()
    assert "nothing is pending" in app.inv("db.migrate", "--prod").ok().stderr
    result = app.inv("db.status", "--json")
    assert result.code == 3
    assert any("User" in line for line in result.document["unmigrated"]), result.text
    assert "there are no migrations in prisma/migrations" in result.document["notes"]


def a_database_with_tables_and_no_history_gets_one_on_request(app: App) -> None:
    app.sql(INIT)
    found = app.inv("db.status", "--json").document
    assert found["drift"] == ["tables that no migration has made: 1; there is no history"]

    result = app.inv("db.migrate", "--prod")
    assert result.code == 4
    assert "the database has tables, but no history of migrations" in result.error
    assert "inv db.migrate --applied NAME" in result.stderr
    assert "P3005" in result.stderr

    unknown = app.inv("db.migrate", "--applied", "nope")
    assert (unknown.code, FIRST in unknown.stderr) == (2, True)
    app.inv("db.migrate", "--applied", FIRST).ok()
    assert app.inv("db.status").code == 0


def another_migration_that_holds_the_lock_is_busy(app: App) -> None:
    assert app.server is not None
    client = ("psql", "-U", "app", "-d", app.database, "-c", LOCK)
    run_docker("exec", "--detach", app.server.container, *client)
    until(lambda: app.sql(f"SELECT count(*) {HELD}") == "1", 30, "nobody holds the lock")
    result = app.inv("db.migrate", "--prod")
    app.sql(f"SELECT pg_terminate_backend(pid) {HELD}")
    assert result.code == 5, result.text
    assert "another migration holds the database's lock" in result.error
    assert "P1002" in result.stderr


def a_user_without_createdb_cannot_develop_and_is_told_why(app: App) -> None:
    role = f"plain_{app.database}"
    password = app.secrets["plain"] = canary()
    app.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    app.sql(f'ALTER DATABASE "{app.database}" OWNER TO {role}')
    app.url(user=role, password=password)

    result = app.inv("db.migrate", "--name", "x")
    assert result.code == 1, result.text
    assert "the user may not create the shadow database" in result.error
    assert "CREATEDB" in result.stderr
    assert "P3014" in result.stderr
    app.inv("db.migrate", "--prod").ok()


def a_failing_seed_shows_what_it_said(app: App) -> None:
    app.write("prisma/seed.js", "throw new Error('the seed blew up')")
    result = app.inv("db.seed")
    assert result.code == 1
    assert "the seed command failed" in result.error
    assert "the seed blew up" in result.stderr


def prisma_that_is_not_installed_is_not_downloaded(app: App) -> None:
    app.schema(generator=GENERATOR)
    (app.folder / "node_modules").unlink()
    for words in (("db.migrate", "--prod"), ("db.status",), ("db.seed",), ("db.generate",)):
        result = app.inv(*words)
        assert result.code == 2, result.text
        assert "prisma is not installed here" in result.error
        assert result.error == (
            "package.json: prisma is not installed here, and no service of the stack has it"
        )
        assert result.hint == "npm install"


def without_node_the_way_to_it_is_named(app: App) -> None:
    bare = app.write("bin/docker", "").parent
    (bare / "docker").unlink()
    for name in ("docker", "sh"):
        (bare / name).symlink_to(shutil.which(name) or name)
    app.schema(generator=GENERATOR)
    for words in (("db.migrate", "--prod"), ("db.status",), ("db.generate",)):
        result = app.inv(*words, environ={"PATH": str(bare)})
        assert result.code == 2, result.text
        assert result.error == (
            "node: not installed or not on PATH; Prisma needs it, and no service of the stack has "
            "Prisma"
        )
        assert result.hint == "install it from https://nodejs.org/en/download"


def an_engine_that_cannot_be_downloaded_is_named(app: App) -> None:
    """Prisma's engine is fetched at its first call; here the network refuses."""
    modules = app.folder / "node_modules"
    whole = modules.resolve()
    modules.unlink()
    shutil.copytree(whole, modules, symlinks=True, copy_function=os.link)
    for engine in (modules / "@prisma" / "engines").glob("schema-engine-*"):
        engine.unlink()
    nowhere = f"http://127.0.0.1:{free_port()}"
    network = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), nowhere)

    result = app.inv("db.migrate", "--prod", environ=network)

    assert result.code == 2, result.text
    assert result.error.endswith(
        "Prisma's engine is not installed, and nothing is downloaded from here"
    )
    assert result.hint == "install it once with a network: npx --no-install prisma version"
    assert "User" not in app.tables()


def a_database_that_is_not_the_stacks_is_only_touched_by_name(app: App) -> None:
    port = free_port()
    env = (app.folder / ".env").read_text()
    app.write(".env", f"{env}OTHER_URL=postgresql://app:x@127.0.0.1:{port}/shop\n")
    for words in (("db.status",), ("db.migrate", "--prod")):
        result = app.inv(*words, "--target", "OTHER_URL")
        assert result.code == 6, result.text
        assert "shop" in result.error
    unknown = app.inv("db.migrate", "--target", "NO_URL")
    assert (unknown.code, "OTHER_URL" in unknown.stderr) == (2, True)
    named = app.inv("db.migrate", "--target", "DATABASE_URL", "--json").ok().document
    assert named["applied"] == [FIRST]  # the stack's own, by another way


FRESH = (
    another_migration_that_holds_the_lock_is_busy,
    a_wrong_password_is_said_without_showing_it,
    a_missing_database_is_pending_and_made_by_migrating,
    a_missing_schema_is_named_before_anything_runs,
    an_invalid_schema_is_shown_with_its_line,
    a_project_without_migrations_is_no_error,
    a_database_with_tables_and_no_history_gets_one_on_request,
    a_user_without_createdb_cannot_develop_and_is_told_why,
    a_failing_seed_shows_what_it_said,
    prisma_that_is_not_installed_is_not_downloaded,
    without_node_the_way_to_it_is_named,
    an_engine_that_cannot_be_downloaded_is_named,
    a_database_that_is_not_the_stacks_is_only_touched_by_name,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenario", FRESH, ids=lambda each: each.__name__)
def test_failures(begun: Begun) -> None:
    begun.result()

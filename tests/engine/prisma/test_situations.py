"""What else users of db.migrate and its kin meet; SITUATIONS.md lists all of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from prisma_projects import FIRST, GENERATOR, INIT, VERSIONS
from stacks import canary

if TYPE_CHECKING:
    from prisma_projects import App, Begun

BODY = """CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  -- one; two
  RETURN n * 2;
END $$;
DO $$ BEGIN PERFORM twice(21); END $$;
"""


def a_database_that_is_ahead_of_the_files_is_never_developed_on(app: App) -> None:
    """Somebody else's branch has been migrated here; Prisma itself would say nothing."""
    name = "20240102000000_theirs"
    app.migration(name, "CREATE TABLE theirs (id int);")
    app.inv("db.migrate", "--prod", "--yes", environ={"INVSTACK_DB_SAFETY": "false"}).ok()
    (app.prisma / "migrations" / name / "migration.sql").unlink()
    (app.prisma / "migrations" / name).rmdir()

    found = app.inv("db.status", "--json")
    assert (found.code, found.document["unknown"]) == (3, [name])
    refused = app.inv("db.migrate")
    assert refused.code == 4
    assert f"the database has a migration that this project lacks: {name}" in refused.error
    named = app.inv("db.migrate", "--name", "x")
    assert named.code == 4, named.text
    assert "nothing is pending" in app.inv("db.migrate", "--prod").ok().stderr
    assert "theirs" in app.tables()


def what_has_a_body_of_its_own_is_one_migration(app: App) -> None:
    app.migration("20240102000000_function", BODY)
    app.inv("db.migrate", "--prod", "--yes", environ={"INVSTACK_DB_SAFETY": "false"}).ok()
    assert app.sql("SELECT twice(21)") == "42"


def a_user_who_may_not_write_is_told_so(app: App) -> None:
    role = f"reader_{app.database}"
    password = app.secrets["reader"] = canary()
    app.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    app.url(user=role, password=password)

    result = app.inv("db.migrate", "--prod")

    assert result.code == 1, result.text
    assert "permission denied for schema" in result.error
    assert "GRANT" in result.hint


def a_migration_that_needs_what_no_migration_makes_is_named(app: App) -> None:
    name = "20240102000000_bad"
    app.migration(name, 'ALTER TABLE "Nope" ADD COLUMN a int;')
    app.inv("db.migrate", "--applied", name).ok()

    result = app.inv("db.migrate", "--name", "x")

    assert result.code == 1, result.text
    assert f"migration {name} does not apply to an empty database" in result.error
    assert "P3006" in result.stderr


def migrations_of_another_kind_of_database_are_told_apart(app: App) -> None:
    app.write("prisma/migrations/migration_lock.toml", 'provider = "mysql"\n')
    result = app.inv("db.migrate", "--prod")
    assert result.code == 2, result.text
    assert "written for another kind of database than the schema names" in result.error
    assert "P3019" in result.stderr


def a_migration_without_its_file_is_named(app: App) -> None:
    (app.prisma / "migrations" / "20240102000000_empty").mkdir()
    result = app.inv("db.migrate", "--prod")
    assert result.code == 2, result.text
    assert "a migration has no migration.sql" in result.error
    assert "P3015" in result.stderr


def a_seed_that_is_not_there_and_a_schema_that_cannot_be_generated_are_told(app: App) -> None:
    (app.prisma / "seed.js").unlink()
    seeded = app.inv("db.seed")
    assert seeded.code == 1
    assert "the seed command failed" in seeded.error
    assert "seed.js" in seeded.stderr

    app.schema("\nmodel Broken {\n", generator=GENERATOR)
    generated = app.inv("db.generate")
    assert generated.code == 2
    assert "the schema is not valid: prisma/schema.prisma:" in generated.error


def a_project_that_sets_no_url_uses_its_own_stack(app: App) -> None:
    """Prisma 7 alone would refuse every command, `generate` too."""
    settings = json.loads((app.folder / "invoke.yaml").read_text())
    settings["stack"]["db"] = {"name": app.database}
    app.write("invoke.yaml", json.dumps(settings))
    app.schema(generator=GENERATOR)
    for text in ("", "DATABASE_URL=\n"):
        app.write(".env", text)
        app.inv("db.migrate").ok()
        app.inv("db.generate").ok()
        assert app.inv("db.status").ok().stdout == "up to date\n"
    assert "User" in app.tables()


def an_address_that_leads_nowhere_is_said_before_prisma_runs(app: App) -> None:
    text = (app.folder / ".env").read_text()
    more = "GONE_URL=postgresql://app:x@db.invalid/shop\nOTHER_URL=mysql://app:x@localhost/shop\n"
    app.write(".env", text + more)
    for words in (("db.status",), ("db.migrate", "--prod"), ("db.seed",)):
        gone = app.inv(*words, "--target", "GONE_URL")
        assert gone.code == 6, gone.text
        other = app.inv(*words, "--target", "OTHER_URL")
        assert other.code == 2
        assert "OTHER_URL" in other.error


def without_a_change_nothing_is_made(app: App) -> None:
    for _ in range(2):
        app.inv("db.migrate", "--name", "nothing").ok()
    assert app.names() == [FIRST]
    app.sql(INIT.partition("CREATE UNIQUE")[0].replace("User", "Extra"))  # drift
    assert "nothing is pending" in app.inv("db.migrate", "--prod").ok().stderr


FRESH = (
    a_user_who_may_not_write_is_told_so,
    migrations_of_another_kind_of_database_are_told_apart,
    a_migration_without_its_file_is_named,
    a_project_that_sets_no_url_uses_its_own_stack,
)
BOTH = (
    *FRESH,
    a_migration_that_needs_what_no_migration_makes_is_named,
    a_seed_that_is_not_there_and_a_schema_that_cannot_be_generated_are_told,
)
ONCE = (  # where both versions say the same, or nothing
    a_database_that_is_ahead_of_the_files_is_never_developed_on,
    what_has_a_body_of_its_own_is_one_migration,
    an_address_that_leads_nowhere_is_said_before_prisma_runs,
    without_a_change_nothing_is_made,
)
CASES = [*((each, version) for each in BOTH for version in VERSIONS)]
CASES += [(each, "7") for each in ONCE]


@pytest.mark.parametrize(
    ("scenario", "version"), CASES, ids=[f"{each.__name__}-{version}" for each, version in CASES]
)
def test_situations(begun: Begun) -> None:
    begun.result()

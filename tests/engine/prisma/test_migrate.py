"""db.migrate, db.status and db.seed with the real Prisma 6 and 7 on a real PostgreSQL."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from prisma_projects import FIRST, GENERATOR, INIT, VERSIONS

if TYPE_CHECKING:
    from prisma_projects import App, Begun

POST = "\nmodel Post {\n  id Int @id\n}\n"
NICKNAME = 'ALTER TABLE "User" ADD COLUMN nickname text'


def status(app: App) -> dict[str, list[str]]:
    result = app.inv("db.status", "--json")
    document: dict[str, list[str]] = result.document
    assert result.code == (0 if document["clean"] else 3), result.text
    return document


def a_fresh_database_gets_what_is_pending_and_the_first_rows(app: App) -> None:
    app.schema(generator=GENERATOR)
    rehearsed = app.inv("db.migrate", "--rehearse", "--json").ok().document
    assert [each["outcome"] for each in rehearsed["migrations"]] == ["applied"]
    assert status(app)["pending"] == [FIRST]

    app.inv("db.migrate").ok()

    assert (app.folder / "generated").is_dir()
    assert status(app)["clean"]
    seeded = app.inv("db.seed").ok()
    assert "seeded the first user" in seeded.stderr
    assert app.sql('SELECT count(*) FROM "User"') == "1"
    assert "DATABASE_URL" not in seeded.text


def a_changed_schema_becomes_a_migration_once_it_has_a_name(app: App) -> None:
    app.schema(POST)
    assert any("Post" in line for line in status(app)["unmigrated"])

    for environ in ({}, {"CI": "1"}):  # Prisma would wait for ever, or leave the name out
        result = app.inv("db.migrate", environ=environ, timeout=60)
        assert result.code == 2
        assert "a migration needs a name" in result.error
        assert "--name NAME" in result.stderr
    assert app.names() == [FIRST]

    app.inv("db.migrate", "--name", "add_post").ok()

    assert [name[15:] for name in app.names()] == ["init", "add_post"]
    assert "Post" in app.tables()
    written = app.prisma / "migrations" / app.names()[1] / "migration.sql"
    assert written.stat().st_uid == os.getuid()


def create_only_writes_a_migration_that_stays_pending(app: App) -> None:
    app.schema(POST)
    assert app.inv("db.migrate", "--create-only").code == 2

    app.inv("db.migrate", "--create-only", "--name", "later").ok()

    assert "Post" not in app.tables()
    assert [name[15:] for name in status(app)["pending"]] == ["later"]
    plan = app.inv("db.migrate", "--plan", "--json").ok().document
    assert (plan["plan"], plan["done"]) == (True, False)
    assert plan["applied"] == app.names()[1:]
    app.inv("db.migrate").ok()
    assert "Post" in app.tables()


def a_database_changed_by_hand_is_drift_and_never_reset(app: App) -> None:
    app.sql(NICKNAME)
    app.sql("""INSERT INTO "User" (email) VALUES ('kept@example.com')""")

    found = status(app)
    assert any("nickname" in line and "Added" in line for line in found["drift"]), found
    assert found["unmigrated"] == []

    result = app.inv("db.migrate", "--name", "x")
    assert result.code == 4
    assert "drift" in result.error
    assert "Drift detected" in result.stderr
    assert app.sql('SELECT count(*) FROM "User"') == "1"


def an_edited_migration_is_found_and_named(app: App) -> None:
    app.migration(FIRST, INIT + "-- a later thought\n")
    assert status(app)["edited"] == [FIRST]

    for words in ((), ("--name", "x")):
        result = app.inv("db.migrate", *words)
        assert result.code == 4
        assert f"migration {FIRST} was edited after it had been applied" in result.error

    app.migration(FIRST, INIT.replace("\n", "\r\n"))  # git on Windows does that
    assert status(app)["edited"] == []


def a_failed_migration_blocks_until_its_end_is_recorded(app: App) -> None:
    name = "20240103000000_broken"
    path = app.migration(name, 'INSERT INTO "Nope" VALUES (1);')

    result = app.inv("db.migrate", "--prod", "--yes")
    assert result.code == 1
    assert f'migration {name} failed: relation "Nope" does not exist' in result.error
    assert f"inv db.migrate --rolled-back {name}" in result.stderr
    assert "Database error code: 42P01" in result.stderr
    assert "the backup of before: " in result.stderr

    assert status(app)["failed"] == [name]
    again = app.inv("db.migrate", "--prod", "--yes")
    assert again.code == 1
    assert f"migration {name} failed earlier and blocks the next ones" in again.error
    assert f"migration {name} failed earlier" in app.inv("db.migrate").error

    path.write_text(NICKNAME + ";")
    app.schema_field("nickname String?")
    app.inv("db.migrate", "--rolled-back", name).ok()
    app.inv("db.migrate", "--prod", "--yes").ok()
    assert status(app)["clean"]


def outside_development_it_asks_backs_up_and_shows_what_is_pending(app: App) -> None:
    name = "20240102000000_nickname"
    app.migration(name, NICKNAME + ";")

    refused = app.inv("db.migrate", "--prod")
    assert refused.code == 4
    assert f"pending: {name}" in refused.stderr
    assert status(app)["pending"] == [name]

    done = app.inv("db.migrate", "--prod", "--yes", "--json").ok().document
    assert done["applied"] == [name]
    assert (app.folder / done["backup"]).is_file()
    assert "before-migrate" in done["backup"]
    manifest = json.loads((app.folder / f"{done['backup']}.json").read_text())
    assert (manifest["kind"], manifest["database"]) == ("safety", app.database)
    assert "nothing is pending" in app.inv("db.migrate", "--prod").ok().stderr


def rows_in_the_way_of_a_change_are_never_deleted_for_it(app: App) -> None:
    app.sql("""INSERT INTO "User" (email) VALUES ('kept@example.com')""")
    app.schema_field("must String")
    unfit = app.inv("db.migrate", "--name", "must")
    assert unfit.code == 4
    assert "rows that are there do not fit the new schema" in unfit.error

    path = app.prisma / "schema.prisma"
    path.write_text(path.read_text().replace("must String", "").replace("  email", "  mail"))
    loss = app.inv("db.migrate", "--name", "mail")
    assert loss.code == 4
    assert app.sql('SELECT email FROM "User"') == "kept@example.com"


def a_rehearsal_says_what_fails_or_is_lost_and_changes_nothing(app: App) -> None:
    app.sql("""INSERT INTO "User" (email) VALUES ('kept@example.com')""")
    names = ["20240102000000_nickname", "20240103000000_loss"]
    app.migration(names[0], NICKNAME + ";")
    app.migration(names[1], '-- the old one\nALTER TABLE "User" DROP COLUMN "email";')
    assert app.inv("db.migrate", "--prod", "--rehearse").code == 4  # clients are disconnected

    result = app.inv("db.migrate", "--rehearse", "--json")
    found = result.document
    assert (result.code, found["verdict"]) == (3, "loses data"), result.text
    assert [each["name"] for each in found["migrations"]] == names
    for each in found["migrations"]:
        assert (each["outcome"], each["locks"][0]["table"]) == ("applied", '"User"')
        assert each["locks"][0]["lock"] == "ACCESS EXCLUSIVE"
        assert each["seconds"] > 0
    assert found["findings"][0]["where"].endswith(f"{names[1]}/migration.sql:2")
    assert (found["tables"][0]["columns"], found["tables"][0]["loses"]) == (["email"], True)

    app.migration("20240104000000_broken", 'INSERT INTO "Nope" VALUES (1);')
    failed = app.inv("db.migrate", "--rehearse")
    assert failed.code == 1
    assert 'relation "Nope" does not exist' in failed.error
    assert "the live database was not touched" in failed.stderr
    last = [line.split()[:2] for line in failed.stdout.splitlines()][3]
    assert last == ["20240104000000_broken", "failed"]

    state = status(app)
    assert (state["pending"], state["failed"]) == ([*names, "20240104000000_broken"], [])
    assert app.sql('SELECT email FROM "User"') == "kept@example.com"
    assert f"{app.database}__" not in app.sql("SELECT datname FROM pg_database")


FRESH = (a_fresh_database_gets_what_is_pending_and_the_first_rows,)
MIGRATED = (
    a_changed_schema_becomes_a_migration_once_it_has_a_name,
    create_only_writes_a_migration_that_stays_pending,
    a_database_changed_by_hand_is_drift_and_never_reset,
    an_edited_migration_is_found_and_named,
    a_failed_migration_blocks_until_its_end_is_recorded,
    outside_development_it_asks_backs_up_and_shows_what_is_pending,
    rows_in_the_way_of_a_change_are_never_deleted_for_it,
    a_rehearsal_says_what_fails_or_is_lost_and_changes_nothing,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenario", [*FRESH, *MIGRATED], ids=lambda each: each.__name__)
def test_migrations(begun: Begun) -> None:
    begun.result()

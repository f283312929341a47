"""`db.migrate --rehearse` with SQL files on a real server: the live database is never touched."""

import os
import signal
from typing import Any

import pytest

pytestmark = pytest.mark.engine

START = """
CREATE TABLE person (id serial PRIMARY KEY, name text, note text);
INSERT INTO person (name, note) SELECT 'n' || g, 'x' FROM generate_series(1, 500) g;
CREATE TABLE visit (id int PRIMARY KEY, person int REFERENCES person);
INSERT INTO visit SELECT g, g FROM generate_series(1, 40) g;
"""


@pytest.fixture
def people(shop: Any) -> Any:
    """A database with content of its own and no journal yet."""
    shop.psql(START)
    return shop


def write(shop: Any, **texts: str) -> None:
    folder = shop.site.root / "migrations"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)


def untouched(shop: Any, before: str, state: str) -> None:
    assert shop.content() == before
    assert shop.state() == state
    assert shop.databases() == [shop.name]


@pytest.mark.both
def test_what_is_pending_is_timed_and_its_locks_are_told(people: Any) -> None:
    write(
        people,
        m0001_age="ALTER TABLE person ADD COLUMN age int;\nSELECT pg_sleep(0.3);",
        m0002_index="-- no transaction\nCREATE INDEX CONCURRENTLY by_name ON person (name);",
        m0003_key="ALTER TABLE visit ALTER COLUMN id TYPE bigint;\nINSERT INTO visit VALUES (77);",
        m0004_view="CREATE TABLE fresh (id int);",
    )
    before, state = people.content(), people.state()

    code, found, err = people.run("rehearse")

    assert code == 0, err
    untouched(people, before, state)
    first, second, third, fourth = found["migrations"]
    assert {each["outcome"] for each in found["migrations"]} == {"applied"}
    assert 0.3 <= first["seconds"] < 30
    exclusive = {"lock": "ACCESS EXCLUSIVE", "blocks": "reads and writes"}
    assert first["locks"] == [{"table": "person", "rewrites": False, **exclusive}]
    assert [each["lock"] for each in second["locks"]] == ["SHARE UPDATE EXCLUSIVE"]
    assert third["locks"] == [{"table": "visit", "rewrites": True, **exclusive}]
    assert fourth["locks"] == []
    assert found["tables"] == [
        {"table": "visit", "before": 40, "after": 41, "renamed": "", "columns": [], "loses": False}
    ]
    assert found["findings"] == [
        {
            "migration": "0003_key",
            "where": "migrations/0003_key.sql:1",
            "severity": "warning",
            "effect": "changes a column's type: values may not fit, the table may be written anew",
            "statement": "ALTER TABLE visit ALTER COLUMN id TYPE bigint",
        }
    ]
    assert (found["verdict"], found["done"]) == ("passed", True)


@pytest.mark.both
def test_a_failing_migration_fails_on_the_copy_alone(people: Any) -> None:
    write(
        people,
        m0001_first="DELETE FROM visit WHERE id > 10;",
        m0002_unfit="ALTER TABLE person ADD COLUMN must int NOT NULL;",
        m0003_never="CREATE TABLE never ();",
    )
    before, state = people.content(), people.state()

    code, found, err = people.run("rehearse")

    assert code == 1, err
    untouched(people, before, state)
    assert [each["outcome"] for each in found["migrations"]] == ["applied", "failed", "not run"]
    assert found["failure"]["where"] == "migrations/0002_unfit.sql:1"
    assert found["failure"]["message"] == 'column "must" of relation "person" contains null values'
    assert found["verdict"] == "failed"
    assert [(each["table"], each["after"]) for each in found["tables"]] == [("visit", 10)]


def test_what_loses_data_is_a_finding_whether_its_sql_shows_it_or_not(people: Any) -> None:
    text = """CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM visit';
SELECT wipe();
ALTER TABLE person
  DROP COLUMN note,
  RENAME TO human;
"""
    write(people, m0001_wipe=text.replace(",\n  RENAME", ";\nALTER TABLE person RENAME"))
    before, state = people.content(), people.state()

    code, found, err = people.run("rehearse")

    assert code == 3, err
    untouched(people, before, state)
    assert [(each["severity"], each["where"][-2:]) for each in found["findings"]] == [
        ("error", ":3"),
        ("warning", ":5"),
    ]
    gone = {"before": 500, "after": 500, "renamed": "human", "columns": ["note"], "loses": True}
    assert found["tables"] == [
        {"table": "person", **gone},
        {"table": "visit", "before": 40, "after": 0, "renamed": "", "columns": [], "loses": True},
    ]
    assert found["verdict"] == "loses data"


def test_a_plan_and_a_dry_run_read_the_sql_and_copy_nothing(people: Any) -> None:
    write(people, m0001_wipe="TRUNCATE visit;")

    for options in ({"plan": True}, {"dry": True}):
        code, found, err = people.run("rehearse", **options)
        assert (code, found["done"]) == (3, False)
        assert found["findings"][0]["effect"] == "removes all rows"
        assert "copying" not in err
    assert people.run("rehearse", name="x")[0] == 2


def test_a_user_who_is_no_superuser_rehearses_without_locks(people: Any) -> None:
    people.site.psql(
        f"CREATE ROLE {people.name} LOGIN CREATEDB PASSWORD 'canary-s3cret-pw';"
        f"ALTER DATABASE {people.name} OWNER TO {people.name};"
    )
    owner = people.psql(
        "SELECT format('ALTER TABLE %s OWNER TO ' || current_database(), oid::regclass)"
        " FROM pg_class WHERE relname IN ('person', 'visit')"
    )
    people.psql(f"GRANT ALL ON SCHEMA public TO {people.name};" + owner.replace("\n", ";"))
    write(people, m0001_age="ALTER TABLE person ADD COLUMN age int;")
    try:
        people.settings["user"] = people.name
        code, found, err = people.run("rehearse")
        assert code == 0, err
        assert found["migrations"][0]["locks"] is None
        assert "superuser" in found["notes"][0]
        assert people.databases() == [people.name]
    finally:
        people.site.psql(f"DROP DATABASE {people.name} WITH (FORCE)")
        people.site.psql(f"DROP ROLE {people.name}")
        people.site.psql(f"CREATE DATABASE {people.name}")


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_an_interrupted_rehearsal_leaves_nothing(people: Any, number: int, expected: int) -> None:
    write(people, m0001_long="ALTER TABLE person ADD COLUMN age int;\nSELECT pg_sleep(20);")
    before, state = people.content(), people.state()
    child = people.start("rehearse")
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20)%'"
    people.site.until(lambda: people.site.psql(asleep) != "0", child)

    os.kill(child.pid, number)
    child.communicate(timeout=30)

    assert child.returncode == expected
    if number == signal.SIGKILL:
        assert len(people.variants("new")) == 1
        write(people, m0001_long="SELECT 1;")
        assert people.run("rehearse")[0] == 0
    untouched(people, before, state)

"""`db.verify --restore` and `--adopt` against a real server."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

BIG = {"db": {"name": "big"}}
FUNCTION = "CREATE OR REPLACE FUNCTION f(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i';"
RICH = """
CREATE SCHEMA part;
CREATE TABLE part.p (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part.p1 PARTITION OF part.p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE part.ref (id int PRIMARY KEY, n int UNIQUE, v int GENERATED ALWAYS AS (n * 2) STORED);
ALTER TABLE part.p ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES part.ref;
CREATE INDEX ON part.p (at);
CREATE TABLE part.late (a int, b serial, CHECK (a > 0));
ALTER TABLE part.late ADD CONSTRAINT unchecked CHECK (a < 99) NOT VALID;
CREATE TABLE part.child () INHERITS (part.late);
CREATE MATERIALIZED VIEW part.m AS SELECT count(*) AS n FROM part.ref;
CREATE UNIQUE INDEX ON part.m (n);
CREATE TABLE part.auto (id int GENERATED ALWAYS AS IDENTITY, EXCLUDE USING btree (id WITH =));
CREATE ROLE somebody; GRANT SELECT ON part.ref TO somebody; ALTER TABLE part.m OWNER TO somebody;
INSERT INTO part.ref SELECT g, g FROM generate_series(1, 50) g;
"""


@pytest.fixture
def databases(site: Any) -> Callable[[], set[str]]:
    """The names of all databases of the server."""
    return lambda: set(site.psql("SELECT datname FROM pg_database;").splitlines())


@pytest.fixture
def rich(site: Any) -> Iterator[dict[str, Any]]:
    """A database with everything that is easily counted wrong."""
    site.psql("CREATE DATABASE rich;")
    try:
        site.psql(RICH, "rich")
        yield {"db": {"name": "rich"}}
    finally:
        site.psql("DROP DATABASE rich; DROP ROLE somebody;")


@pytest.fixture(scope="module")
def big(server: Any) -> str:
    """A backup whose restore takes a while."""
    return str(server.run("backup", settings=BIG, fast=True)[1]["file"])


def spoiled(file: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    beside = file.with_name(f"{file.name}.json")
    document = json.loads(beside.read_text())
    change(document)
    beside.write_text(json.dumps(document))


@pytest.mark.both
def test_a_backup_is_proved_and_the_manifest_remembers(
    site: Any, rich: Any, databases: Any
) -> None:  # A19
    before = databases()
    file = site.run("backup", settings=rich)[1]["file"]

    code, result, err = site.run("verify", file=file, restore=True, settings=rich)

    assert code == 0, err
    assert result["level"] == "L3", result
    assert "51 rows" in result["checks"][-1]["text"]
    assert json.loads(Path(f"{file}.json").read_text())["verified"]["level"] == "L3"
    assert databases() == before
    assert site.run("verify", file=file, settings=rich)[1]["level"] == "L2"
    assert json.loads(Path(f"{file}.json").read_text())["verified"]["level"] == "L3"


def test_another_number_of_objects_is_a_failure(site: Any, databases: Any) -> None:  # A19
    before = databases()
    file = Path(site.run("backup")[1]["file"])
    spoiled(file, lambda found: found["contents"].update(tables=2, indexes=1))

    _, result, _ = site.run("verify", file=str(file), restore=True)

    assert not result["ok"]
    assert result["level"] == "L2"
    text = result["checks"][-1]["text"]
    assert text == "restored, but 1 tables in place of 2, 0 indexes in place of 1"
    assert databases() == before
    verified = json.loads(Path(f"{file}.json").read_text())["verified"]
    assert (verified["level"], verified["ok"]) == ("L2", False)


def test_a_backup_that_does_not_restore_fails_and_leaves_nothing(
    site: Any, databases: Any
) -> None:  # A19
    site.psql("CREATE DATABASE broken;")
    site.psql(FUNCTION, "broken")
    site.psql("CREATE TABLE t (i int CHECK (f(i) > 0)); INSERT INTO t VALUES (1);", "broken")
    site.psql(FUNCTION.replace("SELECT i", "SELECT -i"), "broken")
    try:
        file = site.run("backup", settings={"db": {"name": "broken"}})[1]["file"]
    finally:
        site.psql("DROP DATABASE broken;")
    before = databases()

    _, result, _ = site.run("verify", file=file, restore=True)

    assert result["level"] == "L2"
    assert "does not restore: " in result["checks"][-1]["text"]
    assert "violates check constraint" in result["checks"][-1]["text"]
    assert databases() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_proof_leaves_no_database(
    site: Any, databases: Any, big: str, number: int
) -> None:  # A19
    before = databases()

    child = site.start("verify", file=big, restore=True, settings=BIG)
    site.until(lambda: databases() != before and site.programs("pg_restore") > 0, child)
    child.send_signal(number)
    _, err = child.communicate(timeout=30)

    if number == signal.SIGKILL:
        code, _, err = site.run("wait", settings=BIG)
        assert code == 0
        assert "dropped 1 temporary database(s)" in err
    deadline = time.monotonic() + 3
    while site.programs("pg_restore") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert databases() == before
    assert site.programs("pg_restore") == 0
    assert site.sessions() == 0


def test_a_user_who_may_not_create_databases_is_told(site: Any) -> None:
    site.psql("CREATE ROLE modest LOGIN; GRANT pg_read_all_data TO modest;")
    modest = {"db": {"user": "modest"}}
    try:
        file = site.run("backup")[1]["file"]
        _, result, _ = site.run("verify", file=file, restore=True, settings=modest)
    finally:
        site.psql("DROP ROLE modest;")

    assert result["ok"]
    assert result["level"] == "L2"
    text = "not restored: user modest may not create databases"
    assert result["checks"][-1] == {"level": "L3", "state": "unchecked", "text": text}


def test_a_backup_that_lost_its_manifest_is_listed_and_adopted(site: Any) -> None:  # A44
    file = Path(site.run("backup")[1]["file"])
    beside = file.with_name(f"{file.name}.json")
    before = json.loads(beside.read_text())
    beside.unlink()

    assert site.run("verify", file=str(file))[1]["ok"] is False
    code, manifest, err = site.run("adopt", file=str(file))

    assert code == 0, err
    same = ("bytes", "sha256", "created_at", "database", "server", "client", "contents", "archive")
    assert {key: manifest[key] for key in same} == {key: before[key] for key in same}
    assert manifest["kind"] == "adopted"
    assert manifest["target"] == {}
    assert site.run("verify", file=str(file), restore=True)[1]["level"] == "L3"
    assert site.run("adopt", file=str(file))[0] == 2


def test_a_foreign_dump_is_adopted_only_when_it_is_whole(site: Any) -> None:  # A18, A44
    whole = Path(site.run("backup")[1]["file"]).read_bytes()
    site.backups.joinpath("mine.dump").write_bytes(whole)
    for name, data in (("cut.dump", whole[:-40]), ("text.dump", b"-- text"), ("no.dump", b"")):
        site.backups.joinpath(name).write_bytes(data)

    codes = {
        name: site.run("adopt", file=f"backups/{name}")[0]
        for name in ("mine.dump", "cut.dump", "text.dump", "no.dump")
    }

    assert codes == {"mine.dump": 0, "cut.dump": 1, "text.dump": 2, "no.dump": 2}
    assert {path.name for path in site.backups.glob("*.json")} == {"mine.dump.json"}

"""`db.upgrade`: a volume of PostgreSQL 16 under an image of 17, with the real program."""

from __future__ import annotations

import random
import secrets
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from stacks import run_docker, until

pytestmark = pytest.mark.engine

COMPOSE = """
services:
  pg:
    image: postgres:16-alpine
    stop_grace_period: 1s
    healthcheck: {test: [CMD, pg_isready, -h, 127.0.0.1]}
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: canary-up-pw, POSTGRES_DB: shop}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
"""
NEW = COMPOSE.replace("postgres:16-alpine", "postgres:17")
SEED = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(9, 2), mood mood);
INSERT INTO item (name, price) SELECT 'n' || g, g / 7.0 FROM generate_series(1, 3000) g;
CREATE VIEW dear AS SELECT * FROM item WHERE price > 100;
CREATE MATERIALIZED VIEW sums AS SELECT sum(price) FROM item;
SELECT lo_from_bytea(0, 'a large object'), setval('item_id_seq', 4711);
CREATE ROLE reader LOGIN PASSWORD 'canary-reader-pw' CONNECTION LIMIT 7;
CREATE ROLE team; GRANT team TO reader; GRANT SELECT ON item TO team;
ALTER ROLE reader SET statement_timeout = '5s';
ALTER ROLE reader IN DATABASE shop SET app.colour = 'red';
ALTER DATABASE shop SET default_transaction_read_only = on;
ALTER DATABASE postgres SET app.size = 'large';
REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO team;
COMMENT ON DATABASE shop IS 'the shop''s';
CREATE DATABASE "we ird-""n;a=me" OWNER reader;
ALTER SYSTEM SET work_mem = '7MB';
"""
LOOK = """
SELECT md5(string_agg(item::text, ',' ORDER BY id)) FROM item;
SELECT count(*) FROM dear; SELECT * FROM sums; SELECT last_value FROM item_id_seq;
SELECT encode(lo_get(oid), 'escape') FROM pg_largeobject_metadata;
SELECT r.rolname, md5(r.rolpassword), r.rolconnlimit FROM pg_authid r
  WHERE rolname !~ '^pg_' ORDER BY 1;
SELECT has_table_privilege('reader', 'item', 'SELECT');
SELECT datname, datdba::regrole,
  (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(datacl) x),
  shobj_description(oid, 'pg_database') FROM pg_database
  WHERE datname <> 'template0' ORDER BY 1;
SELECT d.datname, s.setrole::regrole, s.setconfig FROM pg_db_role_setting s
  LEFT JOIN pg_database d ON d.oid = s.setdatabase ORDER BY 1, 2;
"""


# What the new server cannot take: this row fits the check of a function that is another one now.
ODD = """
CREATE FUNCTION most() RETURNS int LANGUAGE sql AS 'SELECT 9999';
CREATE TABLE odd (x int CHECK (x < most()));
INSERT INTO odd VALUES (7);
CREATE OR REPLACE FUNCTION most() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
WAYS = {"TERM": "copying volume", "KILL": "dumping shop", "INT": "moving database shop"}
LAST = "putting PostgreSQL 17's files into"


def psql(stack: Any, statements: str) -> str:
    words = ("exec", f"{stack.name}-pg-1", "psql", "-XqAt", "-U", "app", "-d", "shop")
    each = [word for one in statements.split(";\n") if one.strip() for word in ("-c", one)]
    writable = ("--env", "PGOPTIONS=-c default_transaction_read_only=off")
    return run_docker(words[0], *writable, *words[1:], "-v", "ON_ERROR_STOP=1", *each)


def volumes(stack: Any) -> list[str]:
    return sorted(run_docker("volume", "ls", "-q", "--filter", f"name={stack.name}").split())


def own(stack: Any) -> str:
    return f"{stack.name}_data"


def files(stack: Any) -> str:
    """Return a checksum of every file in the volume."""
    look = "cd /v; find . -type f -exec md5sum {} + | sort | md5sum"
    words = ("run", "--rm", "--volume", f"{own(stack)}:/v:ro", "--entrypoint", "sh")
    return run_docker(*words, "postgres:17", "-c", look)


def helpers(stack: Any) -> str:
    return run_docker("ps", "--all", "--quiet", "--filter", f"name={stack.name}-pg-upgrade")


def tidied(stack: Any) -> None:
    """Remove what is no part of the Compose project."""
    if left := helpers(stack).split():
        run_docker("rm", "--force", "--volumes", *left)
    stack.remove()
    for name in volumes(stack):
        run_docker("volume", "rm", "--force", name, check=False)


@pytest.fixture(scope="module")
def stack(shared_project: Any) -> Iterator[Any]:
    """A volume of PostgreSQL 16, stopped, below a compose file that says 17."""
    made = shared_project(compose=COMPOSE)
    try:
        made.up()
        psql(made, SEED)
        made.look = psql(made, LOOK)
        assert "nothing to upgrade" in made.inv("db.upgrade").ok().stderr
        made.write("compose.yaml", NEW)
        yield made
    finally:
        tidied(made)


def test_up_points_to_it_and_a_question_comes_first(stack: Any) -> None:
    assert "inv db.upgrade" in stack.inv("stack.up").hint

    plan = stack.inv("--dry", "db.upgrade").ok()
    asked = stack.inv("db.upgrade")

    assert f"copy volume {own(stack)} (" in plan.stderr
    assert "start postgres:16-alpine on that copy" in plan.stderr
    assert asked.code == 4
    assert volumes(stack) == [own(stack)]


def test_the_image_of_the_old_version_must_be_one(stack: Any) -> None:
    wrong = stack.inv("db.upgrade", "--yes", "--from-image", "postgres:17")
    named = NEW.replace("postgres:17", "mine/postgres:17")
    run_docker("tag", "postgres:17", "mine/postgres:17")
    try:
        stack.write("compose.yaml", named)
        run_docker("rm", "--force", f"{stack.name}-pg-1")
        run_docker("compose", "--project-directory", str(stack.folder), "-p", stack.name, "create")
        nowhere = stack.inv("db.upgrade", "--yes")
    finally:
        stack.write("compose.yaml", NEW)
        run_docker("rmi", "mine/postgres:17")

    assert wrong.code == 2
    assert "its server is not PostgreSQL 16" in wrong.error
    assert nowhere.code == 1
    assert nowhere.error.startswith("PostgreSQL 16: no image of it is here")
    assert nowhere.hint.startswith("docker pull mine/postgres:16, or name one")
    assert volumes(stack) == [own(stack)]


def test_what_the_new_server_refuses_leaves_everything_as_it_was(stack: Any) -> None:
    stack.write("compose.yaml", COMPOSE)
    stack.up()
    psql(stack, ODD)
    stack.write("compose.yaml", NEW)

    failed = stack.inv("db.upgrade", "--yes")

    assert failed.code == 1
    assert failed.error.startswith("database shop: could not be moved")
    assert "violates check constraint" in failed.stderr
    assert "nothing was changed" in failed.hint
    assert volumes(stack) == [own(stack)]
    assert helpers(stack) == ""
    assert psql(stack, LOOK) == stack.look  # the service runs again, of the old image
    psql(stack, "DROP TABLE odd")


def test_broken_off_at_any_moment_the_volume_is_what_it_was(stack: Any, begin: Any) -> None:
    chance = random.Random(seed := secrets.randbelow(10_000))  # noqa: S311 - not for cryptography
    run_docker("stop", "--time", "1", f"{stack.name}-pg-1")
    before = files(stack)
    for way, step in WAYS.items():
        run, after_s = begin(stack, "db.upgrade", "--yes"), chance.uniform(0, 0.8)
        run.said(step, 120)
        print(f"seed {seed}: {way} {after_s:.2f} s after: {step}")
        time.sleep(after_s)
        run.signal(getattr(signal, f"SIG{way}"), group=False)
        ended = run.end(120)

        assert ended.code == {"INT": 130, "TERM": 143, "KILL": -9}[way], ended.stderr
        assert files(stack) == before
        if way != "KILL":
            assert (volumes(stack), helpers(stack)) == ([own(stack)], "")

    run = begin(stack, "db.upgrade", "--yes")
    run.said(LAST, 120)
    name = f"{stack.name}-pg-upgrade-files"
    until(lambda: run_docker("kill", name, check=False), 20, f"{name} never runs")

    assert run.end(120).code == 1
    assert files(stack) == before
    assert (volumes(stack), helpers(stack)) == ([own(stack)], "")


def test_the_whole_server_moves_to_the_new_version_and_back(stack: Any) -> None:
    done = stack.inv("db.upgrade", "--yes", "--json").ok()

    made = done.document
    assert (made["before"], made["after"]) == ("16", "17")
    assert volumes(stack) == [own(stack), made["kept"]]
    assert helpers(stack) == ""
    assert "work_mem" in done.stderr
    assert len(made["backups"]) == 1
    stack.up()
    assert psql(stack, "SHOW server_version").startswith("17.")
    assert psql(stack, LOOK) == stack.look
    psql(stack, "INSERT INTO item (name) VALUES ('new')")
    stack.write("compose.yaml", COMPOSE)
    assert "inv db.upgrade --undo" in stack.inv("stack.up").hint

    undone = stack.inv("db.upgrade", "--undo", "--yes", "--json").ok().document

    assert (undone["before"], undone["after"]) == ("17", "16")
    stack.up()
    assert psql(stack, LOOK) == stack.look
    assert volumes(stack) == [own(stack)]
    stack.write("compose.yaml", NEW)

"""What of a plain dump is run, what is left out, and what it says that it needs."""

import io

import pytest

from invoke_stack.database.restoring.plaindump import Filter, Rules, Several, Summary
from invoke_stack.database.restoring.sqltext import Broken


def filtered(text: str, rules: Rules | None = None) -> tuple[str, Summary]:
    found = Filter(rules or Rules(frozenset({"app"})))
    out = b"".join(found.run(io.BytesIO(text.encode()))).decode()
    assert out.count("\n") == text.count("\n")
    return "\n".join(line for line in out.splitlines() if line.strip()), found.found


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE DATABASE app WITH TEMPLATE = template0 ENCODING = 'UTF8';",
        "DROP DATABASE IF EXISTS app;",
        "ALTER DATABASE app SET x.y TO '1';",
        "COMMENT ON DATABASE app IS 'x;y';",
        "GRANT CONNECT ON DATABASE app TO bob;",
        "REVOKE ALL\nON DATABASE app FROM PUBLIC;",
        "ALTER ROLE bob IN DATABASE app SET search_path TO x;",
        "create database app;",
        "CREATE ROLE bob;",
        "ALTER ROLE bob WITH SUPERUSER PASSWORD 'x';",
        "CREATE USER bob;",
        "DROP ROLE bob;",
        "GRANT admin TO bob;",
        "CREATE TABLESPACE fast LOCATION '/x';",
        "ALTER SYSTEM SET fsync = off;",
        "SET transaction_timeout = 0;",
        "/* first */ DROP DATABASE app;",
    ],
)
def test_statements_beyond_the_database_are_left_out(statement: str) -> None:
    out, found = filtered(f"{statement}\nCREATE TABLE t ();\n")

    assert out == "CREATE TABLE t ();"
    assert sum(found.skipped.values()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE USER MAPPING FOR app SERVER s;",
        "CREATE TABLE database (drop_database text);",
        "INSERT INTO t VALUES ('DROP DATABASE app;');",
        "GRANT SELECT ON TABLE t TO app;",
        "CREATE FUNCTION f() AS $$ DROP DATABASE app; $$ LANGUAGE sql;",
        "DROP TABLE later;",
        "ALTER TABLE t DROP CONSTRAINT c;",
    ],
)
def test_everything_else_is_run(statement: str) -> None:
    out, found = filtered(f"CREATE TABLE t ();\n{statement}\n")

    assert out == f"CREATE TABLE t ();\n{statement}"
    assert not found.skipped


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE public.t;",
        "ALTER TABLE ONLY public.t DROP CONSTRAINT t_pkey;",
        "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT;",
        "DROP EXTENSION vector;",
        "DROP SCHEMA other;",
        "SELECT pg_catalog.lo_unlink('16389');",
    ],
)
def test_drops_before_anything_is_made_are_left_out(statement: str) -> None:
    text = f"SET client_encoding = 'UTF8';\n{statement}\nCREATE TABLE t ();\n{statement}\n"

    out, found = filtered(text)

    assert out == f"SET client_encoding = 'UTF8';\nCREATE TABLE t ();\n{statement}"
    assert found.skipped == {"a drop in a dump made with --clean": 1}


def test_the_schema_public_may_be_there_or_not() -> None:
    out, found = filtered('DROP SCHEMA public;\nCREATE SCHEMA public;\nCREATE SCHEMA "public";\n')

    assert out.splitlines() == [
        "DROP SCHEMA public;",
        "CREATE SCHEMA IF NOT EXISTS public;",
        'CREATE SCHEMA IF NOT EXISTS "public";',
    ]
    assert found.schema


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (r"\connect app", "app"),
        (r"\c app", "app"),
        (r'\connect "a""b"', 'a"b'),
        ("\\connect -reuse-previous=on \"dbname='we ird'\"", "we ird"),
        ("\\connect -reuse-previous=on \"dbname='it\\'s'\"", "it's"),
    ],
)
def test_psql_stays_in_the_new_database(command: str, name: str) -> None:
    before = "\\restrict x\n\\encoding SQL_ASCII\n"
    out, found = filtered(f"{before}{command}\n\\unrestrict x\nCREATE TABLE t ();\n")

    assert out == "CREATE TABLE t ();"
    assert found.sections == [name]
    assert found.skipped == {r"\connect": 1}


ALL = r"""CREATE ROLE app;
\connect template1
CREATE TABLE nothing ();
\connect other
CREATE TABLE theirs ();
\connect app
CREATE TABLE ours ();
COPY ours FROM stdin;
\.
\connect postgres
CREATE TABLE maintenance ();
"""


def test_of_several_databases_one_is_taken() -> None:
    with pytest.raises(Several) as caught:
        filtered(ALL)
    assert caught.value.names == ("other", "app")

    out, found = filtered(ALL, Rules(only="app"))

    assert out == "CREATE TABLE ours ();\nCOPY ours FROM stdin;\n\\."
    assert found.sections == ["template1", "other", "app", "postgres"]


@pytest.mark.parametrize("command", [r"\! rm -rf /", r"\i other.sql", r"\copy t to 'x'", r"\o x"])
def test_no_other_command_of_psql_is_run(command: str) -> None:
    with pytest.raises(Broken, match=r"line 2: the psql command .* is not run"):
        filtered(f"CREATE TABLE t ();\n{command}\n")


def test_what_a_dump_needs_is_read_from_it() -> None:
    text = """-- PostgreSQL database dump
-- Dumped from database version 16.14 (Debian)
-- Dumped by pg_dump version 17.2
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;
CREATE EXTENSION vector;
CREATE SCHEMA x AUTHORIZATION zoe;
ALTER TABLE t OWNER TO "Bob, Jr";
ALTER FUNCTION f(a text) OWNER TO app;
GRANT SELECT,INSERT ON TABLE t TO ann;
GRANT ALL ON SCHEMA s TO eve WITH GRANT OPTION;
REVOKE ALL ON TABLE t FROM PUBLIC;
CREATE POLICY p ON t FOR SELECT TO kim, "Lee" USING (owner = CURRENT_USER);
ALTER DEFAULT PRIVILEGES FOR ROLE max IN SCHEMA s GRANT SELECT ON TABLES TO moe;
-- PostgreSQL database dump complete
"""
    found = filtered(text)[1]

    assert found.server == "16.14"
    assert found.extensions == {"uuid-ossp", "vector"}
    assert found.roles == {
        "zoe", "Bob, Jr", "app", "ann", "eve", "kim", "Lee", "max", "moe",
    }  # fmt: skip
    assert found.whole


def test_without_owners_only_known_roles_get_privileges() -> None:
    text = "CREATE TABLE t ();\nALTER TABLE t OWNER TO bob;\nGRANT SELECT ON TABLE t TO ann;\n"
    text += "GRANT SELECT ON TABLE t TO app;\n"

    out, found = filtered(text, Rules(frozenset({"app"}), owner=False))

    assert out == "CREATE TABLE t ();\nGRANT SELECT ON TABLE t TO app;"
    assert found.roles == {"app"}
    assert found.unknown == {"ann"}


def test_a_dump_without_its_last_line_is_not_whole() -> None:
    assert not filtered("-- PostgreSQL database dump\nCREATE TABLE t ();\n")[1].whole
    assert filtered("CREATE TABLE t ();\n")[1].whole


def test_who_is_no_superuser_comments_on_no_extension() -> None:
    text = "CREATE EXTENSION vector;\nCOMMENT ON EXTENSION vector IS 'x';\n"

    assert filtered(text)[0] == text.strip()
    assert filtered(text, Rules(superuser=False))[0] == "CREATE EXTENSION vector;"

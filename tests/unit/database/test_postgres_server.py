"""Statements about whole databases, by equality; a real server runs them in the engine ring."""

import json

import pytest

from invoke_stack.database import postgres_server as sql
from invoke_stack.database.postgres_restore import PostgresRestorer
from invoke_stack.database.restoring import load
from invoke_stack.database.state import Database, Grant, Machine, Setting
from invoke_stack.database.values import Header

ROW = {
    "datname": "app", "owner": "app", "encoding": "UTF8", "datcollate": "C", "datctype": "C",
    "datlocprovider": "i", "daticulocale": "de", "daticurules": None, "tablespace": "pg_default",
    "datconnlimit": 5, "comment": None, "bytes": 10, "sessions": 1, "owned": True,
    "settings": [{"role": None, "pair": "a.b=c=d"}, {"role": "bob", "pair": "x=1"}],
    "grants": [{"grantor": "app", "grantee": "", "privilege": "CONNECT", "grantable": False}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"), [("app", '"app"'), ('a"b', '"a""b"'), ("a;b", '"a;b"')]
)
def test_names_are_quoted(name: str, expected: str) -> None:
    assert sql.quoted(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a", "'a'"), ("it's", "'it''s'"), ("a\\'b", " E'a\\\\''b'")]
)
def test_texts_are_quoted_whatever_backslashes_mean(text: str, expected: str) -> None:
    assert sql.literal(text) == expected


def test_a_server_is_read() -> None:
    answer = {
        "version": "16.1", "major": 16, "user": "app", "superuser": False, "creates": True,
        "roles": ["app"], "extensions": None, "names": ["app", "postgres"], "databases": [ROW],
    }  # fmt: skip
    found = sql.read_server("3\n" + json.dumps(answer) + "\n")

    assert found.names == {"app", "postgres"}
    assert found.extensions == {}
    assert found.database("app") == Database(
        name="app",
        owner="app",
        encoding="UTF8",
        collate="C",
        ctype="C",
        provider="icu",
        locale="de",
        limit=5,
        grants=(Grant("app", "", "CONNECT", grantable=False),),
        settings=(Setting("", "a.b", "c=d"), Setting("bob", "x", "1")),
        bytes=10,
        sessions=1,
    )
    assert found.database("gone") is None


def test_a_new_database_has_the_locale_of_the_other() -> None:
    like = Database("app", encoding="UTF8", collate="C", ctype="C", provider="icu", locale="de")

    assert sql.create("n", like, 16) == (
        "CREATE DATABASE \"n\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' "
        "LOCALE_PROVIDER icu ICU_LOCALE 'de';\n"
    )
    assert "PROVIDER" not in sql.create("n", like, 14)
    assert sql.create("n", Database("x"), 16) == 'CREATE DATABASE "n" TEMPLATE template0;\n'


def test_what_a_rename_loses_is_given_again() -> None:
    like = Database(
        "app",
        owner="own",
        limit=3,
        grants=(
            Grant("own", "ann", "CONNECT", grantable=True),
            Grant("ann", "", "CONNECT", grantable=False),
        ),
        settings=(
            Setting("", "search_path", '"$user", "We, ""ird", public'),
            Setting("", "app.key", "it's"),
            Setting("bob", "search_path", '""'),
        ),
    )

    assert sql.dress("n", like).splitlines() == [
        'ALTER DATABASE "n" OWNER TO "own";',
        'ALTER DATABASE "n" CONNECTION LIMIT 3;',
        "ALTER DATABASE \"n\" SET \"search_path\" TO '$user', 'We, \"ird', 'public';",
        'ALTER DATABASE "n" SET "app"."key" TO \'it\'\'s\';',
        'ALTER ROLE "bob" IN DATABASE "n" SET "search_path" TO \'\';',
        'REVOKE ALL ON DATABASE "n" FROM PUBLIC, "own";',
        'GRANT CONNECT ON DATABASE "n" TO "ann" WITH GRANT OPTION;',
        'SET ROLE "ann";',
        'GRANT CONNECT ON DATABASE "n" TO PUBLIC;',
        "RESET ROLE;",
    ]


def test_settings_do_not_show_their_values() -> None:
    assert "canary" not in repr(Setting("", "app.jwt_secret", "canary"))


def test_a_swap_is_one_transaction() -> None:
    lines = PostgresRestorer().swap([("a", "b"), ("c", "a")], {"b": "x", "a": ""}).splitlines()

    assert [lines[0], lines[-1]] == ["BEGIN;", "COMMIT;"]
    assert "pg_terminate_backend" in lines[1]
    assert "IN ('a', 'c')" in lines[1]
    assert lines[2:6] == [
        'ALTER DATABASE "a" RENAME TO "b";',
        'ALTER DATABASE "c" RENAME TO "a";',
        "COMMENT ON DATABASE \"b\" IS 'x';",
        'COMMENT ON DATABASE "a" IS NULL;',
    ]
    assert "clock_timestamp() - now()" in "".join(lines[6:-1])


def test_how_long_a_swap_took_is_read_between_other_lines() -> None:
    restorer = PostgresRestorer()

    assert restorer.read_swap(["2", "NOTICE: x", "exchanged in 0.031 s", "done-1"]) == 0.031
    assert restorer.read_swap(["done-1"]) == 0.0


def test_a_database_name_is_never_a_connection_string() -> None:
    words = PostgresRestorer().load("/tmp/x", "a=b 'c\\", load.Options(4))  # noqa: S108

    assert "--dbname=dbname='a=b \\'c\\\\'" in words
    assert "--jobs=4" in words
    assert "--exit-on-error" in words
    assert words[-1] == "/tmp/x"  # noqa: S108


def test_in_place_is_one_transaction() -> None:
    words = PostgresRestorer().load("x", "app", load.Options(4, in_place=True))

    assert {"--clean", "--if-exists", "--single-transaction"} <= set(words)
    assert "--jobs=4" not in words


@pytest.mark.parametrize(
    ("archive", "needed"), [("1.14", 12), ("1.15", 16), ("1.16", 17), ("1.17", 18), ("1.12", 0)]
)
def test_the_first_program_that_reads_an_archive(archive: str, needed: int) -> None:
    assert PostgresRestorer().needs(Header(archive, "gzip")) == needed


def test_no_index_is_built_in_memory_that_a_container_does_not_share() -> None:
    restorer = PostgresRestorer()
    calls = [restorer.load("a.dump", "shop", load.Options()), restorer.script()]

    parallel = restorer.load("a.dump", "shop", load.Options(parallel=True))

    assert all("-c max_parallel_maintenance_workers=0" in call[1] for call in calls)
    assert "max_parallel_maintenance_workers" not in parallel[1]


def test_a_machine_is_read_and_may_say_little() -> None:
    answer = "pg_restore (PostgreSQL) 16.14\ncpus 4\n/dev/sda 100 20 80 20% /\n"
    restorer = PostgresRestorer()

    assert restorer.read_machine(answer) == Machine(16, 4, 80 * 1024)
    assert restorer.read_machine("cpus \n") == Machine(0, 1, -1)

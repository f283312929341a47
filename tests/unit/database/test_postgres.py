import json

import pytest

from invoke_stack.compose.model import Service
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.values import Contents, Header, Login
from invoke_stack.errors import StackError, UnreachableError, UsageError

PG = Postgres()
LOGIN = Login("app", "shop", "canary-pw")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Login("postgres", "postgres")),
        ({"POSTGRES_USER": "app"}, Login("app", "app")),
        ({"POSTGRES_USER": "app", "POSTGRES_DB": "shop"}, Login("app", "shop")),
        ({"POSTGRES_PASSWORD": "pw"}, Login("postgres", "postgres", "pw")),
        ({"POSTGRESQL_USERNAME": "b", "POSTGRESQL_DATABASE": "d"}, Login("b", "d")),
        ({"POSTGRES_USER": "", "POSTGRES_DB": ""}, Login("postgres", "postgres")),
    ],
)
def test_the_login_follows_the_images_defaults(
    environment: dict[str, str], expected: Login
) -> None:
    assert PG.login(environment, "", "") == expected


def test_settings_win_over_the_environment() -> None:
    found = PG.login({"POSTGRES_USER": "app", "POSTGRES_DB": "shop"}, "me", "mine")

    assert (found.user, found.database) == ("me", "mine")


def test_a_password_does_not_show() -> None:
    assert "canary-pw" not in repr(LOGIN)


def test_a_session_is_named_and_passes_the_password_in_its_environment() -> None:
    assert PG.session(LOGIN, "invstack-1") == {
        "PGAPPNAME": "invstack-1",
        "PGCONNECT_TIMEOUT": "5",
        "PGDATABASE": "shop",
        "PGUSER": "app",
        "PGPASSWORD": "canary-pw",
    }
    assert "PGPASSWORD" not in PG.session(Login("a", "b"), "x")


def test_the_probe_asks_over_tcp() -> None:
    client = ("psql", "-X", "-w", "-q", "-A", "-t")

    assert PG.client() == client
    assert PG.probe() == (*client, "--host=127.0.0.1", "--command=SELECT 1")


@pytest.mark.parametrize(
    ("compression", "word"), [("zstd:3", "zstd:3"), ("gzip:1", "1"), ("none", "0")]
)
def test_the_dump_command(compression: str, word: str) -> None:
    assert PG.dump(compression) == (
        "pg_dump",
        "--format=custom",
        f"--compress={word}",
        "--lock-wait-timeout=30s",
        "--no-password",
    )


def test_the_reading_commands() -> None:
    assert PG.listing() == ("pg_restore", "--list")
    assert PG.decode() == ("pg_restore", "--file=/dev/null")


def test_compression_follows_the_server_and_falls_back_once() -> None:
    assert PG.compressions("auto", 15) == ("gzip:1",)
    assert PG.compressions("auto", 16) == ("zstd:1", "gzip:1")
    assert PG.compressions("zstd:19", 16) == ("zstd:19",)


@pytest.mark.parametrize("word", ["lz4", "gzip:0", "zstd:23", "zstd:3; rm", "gzip"])
def test_another_compression_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="no such compression"):
        PG.compressions(word, 16)


@pytest.mark.parametrize(
    "stderr",
    [
        "pg_dump: error: this build does not support compression with ZSTD",
        'pg_dump: error: invalid value "zstd:3" for option -Z/--compress',
        "pg_dump: error: compression level must be in range 0..9",
    ],
)
def test_a_build_without_the_compression_is_recognised(stderr: str) -> None:
    assert PG.uncompressed(stderr)


def test_another_failure_is_no_missing_compression() -> None:
    assert not PG.uncompressed("pg_dump: error: connection to server failed")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"PGDMP\x01\x0f\x00\x04\x08\x01\x03\x00\x00", Header("1.15", "zstd")),
        (b"PGDMP\x01\x10\x00\x04\x08\x01\x02\x00\x00", Header("1.16", "lz4")),
        (b"PGDMP\x01\x0f\x00\x04\x08\x01\x00\x00\x00", Header("1.15", "none")),
        (b"PGDMP\x01\x0f\x00\x04\x08\x01\x09\x00\x00", Header("1.15", "#9")),
        (b"PGDMP\x01\x0e\x00\x04\x08\x01\x01\x01\x00\x00\x00", Header("1.14", "gzip")),
        (b"PGDMP\x01\x0e\x00\x04\x08\x01\x00\x00\x00\x00\x00", Header("1.14", "none")),
        (b"PGDMP", None),
        (b"-- PostgreSQL database dump", None),
        (b"", None),
    ],
)
def test_an_archives_first_bytes(first: bytes, expected: Header | None) -> None:
    assert PG.header(first) == expected


def test_a_table_of_contents_is_counted() -> None:
    lines = """;     Dumped by pg_dump version: 16.14 (Debian)
215; 1259 16386 TABLE public t app
216; 1259 16387 TABLE public TABLE DATA app
217; 1259 16388 SEQUENCE public s app
2538; 0 0 SEQUENCE SET public s app
2539; 0 0 SEQUENCE OWNED BY public s app
2537; 0 16386 TABLE DATA public t app
2540; 2606 1 FK CONSTRAINT public t fk app
2541; 2606 2 CONSTRAINT public t pk app
2542; 2613 16399 BLOB - 16399 app
2543; 0 0 BLOBS - BLOBS
""".splitlines()

    assert PG.read_listing(lines) == Contents(
        "16.14", {"constraints": 2, "sequences": 1, "tables": 2}, data=True
    )


def test_an_archive_with_rows_ends_with_a_closed_block() -> None:
    rows, none = Contents("", {}, data=True), Contents("", {}, data=False)

    assert PG.whole(b"x" + bytes(5), rows)
    assert not PG.whole(bytes(4) + b"x", rows)
    assert PG.whole(b"x", none)


def test_facts_are_read_from_lines_of_json_among_others() -> None:
    output = json.dumps({"server": "16.14", "major": 16, "owner": "app"})

    found = PG.read_facts(f'notice\n{output}\n{{"migration": "0001_init"}}\n')

    assert (found.server, found.major) == ("16.14", 16)
    assert found.details == {"owner": "app", "migration": "0001_init"}


def test_sessions_are_ended_by_the_beginning_of_their_name() -> None:
    assert "AND application_name <> 'invstack-1-a' AND pid" in PG.ending(
        "invstack-1", "invstack-1-a"
    )
    assert PG.ending("invstack-1") == (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE left(application_name, 10) = 'invstack-1' AND pid <> pg_backend_pid();\n"
    )


@pytest.mark.parametrize(
    ("stderr", "kind", "message"),
    [
        ('FATAL:  database "shop" does not exist', UsageError, "does not exist on this server"),
        ('FATAL:  role "app" does not exist', UnreachableError, "does not let user app in"),
        ("FATAL:  password authentication failed for", UnreachableError, "not let user app in"),
        ("connection to server at x failed: refused", UnreachableError, "does not answer"),
        (
            "canceling statement due to statement timeout\nQuery was: LOCK TABLE public.t IN",
            StackError,
            "kept a table locked for more than 30 s",
        ),
    ],
)
def test_known_messages_become_errors_with_a_next_step(
    stderr: str, kind: type[StackError], message: str
) -> None:
    found = PG.explain(LOGIN, stderr)

    assert type(found) is kind
    assert message in found.message
    assert found.where == "database shop"
    assert found.hint


def test_another_server_is_waited_for_by_its_own_variable() -> None:
    far = Login("app", "shop", variables={"PGHOST": "db.example.com"})
    found = PG.explain(far, "could not translate host name")

    assert found is not None
    assert found.hint.endswith("inv db.wait --target KEY")


def test_an_unknown_message_is_not_explained() -> None:
    assert PG.explain(LOGIN, "something else") is None


def test_only_relatives_of_postgresql_are_recognised() -> None:
    assert PG.recognises(Service("x", image="ghcr.io/a/postgis:16"))
    assert not PG.recognises(Service("postgres", image="mysql:8"))

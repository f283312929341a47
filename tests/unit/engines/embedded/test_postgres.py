from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from invoke_stack.command import FOLDER
from invoke_stack.compose.model import Mount
from invoke_stack.engines.embedded import postgres
from invoke_stack.errors import UsageError

PASSWORD = {"POSTGRES_PASSWORD": "hidden"}
MOUNTS = (Mount(Path("/home/me/shop/pg.conf"), "/etc/postgresql/postgresql.conf"),)


def test_settings_are_read_as_the_official_image_reads_them() -> None:
    plain = postgres.settings("pg", PASSWORD)
    whole = postgres.settings(
        "pg",
        {
            **PASSWORD,
            "POSTGRES_USER": "app",
            "POSTGRES_DB": "shop",
            "POSTGRES_INITDB_ARGS": "--data-checksums --locale='de_DE.utf8'",
            "POSTGRES_HOST_AUTH_METHOD": "md5",
        },
    )

    assert (plain.user, plain.database, plain.method) == ("postgres", "postgres", "scram-sha-256")
    assert (whole.user, whole.database, whole.method) == ("app", "shop", "md5")
    assert whole.initdb == ("--data-checksums", "--locale=de_DE.utf8")
    assert "hidden" not in repr(whole)


def test_the_database_is_named_like_the_user_unless_it_has_a_name() -> None:
    assert postgres.settings("pg", {**PASSWORD, "POSTGRES_USER": "app"}).database == "app"


def test_bitnamis_variables_count_as_well() -> None:
    found = postgres.settings(
        "pg", {"POSTGRESQL_USERNAME": "app", "POSTGRESQL_PASSWORD": "hidden", "POSTGRES_DB": "shop"}
    )

    assert (found.user, found.database, found.password) == ("app", "shop", "hidden")


def test_no_password_is_refused_unless_none_is_wanted() -> None:
    with pytest.raises(UsageError, match="POSTGRES_PASSWORD is empty"):
        postgres.settings("pg", {"POSTGRES_PASSWORD": ""})

    assert postgres.settings("pg", {"POSTGRES_HOST_AUTH_METHOD": "trust"}).method == "trust"


def test_a_password_file_inside_the_container_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match="POSTGRES_PASSWORD_FILE names a file inside"):
        postgres.settings("pg", {"POSTGRES_PASSWORD_FILE": "/run/secrets/pg"})


@pytest.mark.parametrize("word", ["-D /x", "--pgdata=/x", "--waldir=/wal", "-X /wal", "--pwfile=x"])
def test_initdb_arguments_that_name_places_are_refused(word: str) -> None:
    with pytest.raises(UsageError, match="not possible without a container"):
        postgres.settings("pg", {**PASSWORD, "POSTGRES_INITDB_ARGS": word})


def test_initdb_gets_the_password_in_a_file_and_the_declared_words_before_our_last() -> None:
    wanted = postgres.settings("pg", {**PASSWORD, "POSTGRES_INITDB_ARGS": "--auth=trust"})

    argv = postgres.initdb(wanted, Path("/tmp/s/password"), "C")  # noqa: S108 - a name

    assert argv[:5] == ("initdb", "-D", FOLDER, "-U", "postgres")
    assert argv[-3:] == ("--pwfile=/tmp/s/password", "--auth=trust", "--auth-local=trust")
    assert "hidden" not in " ".join(argv)


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ((), ()),
        (("postgres",), ()),
        (("docker-entrypoint.sh", "postgres", "-N", "200"), ("-N", "200")),
        (("postgres", "-c", "max_connections=200"), ("-c", "max_connections=200")),
        (("-c", "a=1GB", "--work-mem=8MB"), ("-c", "a=1GB", "--work-mem=8MB")),
        (("postgres", "-p", "6000", "-c", "port=6000", "--port=6000", "-cport=6000"), ()),
        (("postgres", "-c", "listen_addresses=*", "-h", "::", "-D", "/x", "-k", "/y"), ()),
        (
            ("postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"),
            ("-c", "config_file=/home/me/shop/pg.conf"),
        ),
    ],
)
def test_the_declared_options_are_kept_and_places_are_ours(
    command: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    argv = postgres.server(command, MOUNTS, "shop_pg")

    assert argv == ("postgres", "-c", "cluster_name=shop_pg", *kept)


def test_another_program_is_refused() -> None:
    with pytest.raises(UsageError, match="its command starts pgbouncer"):
        postgres.server(("pgbouncer", "/etc/x.ini"), (), "shop_pg")


def test_where_the_server_listens_stands_last_so_that_it_counts() -> None:
    argv = postgres.placed(("postgres", "-c", "a=b"), Path("/s"), 5433, "127.0.0.1")

    assert argv == (
        *("postgres", "-D", FOLDER, "-c", "a=b"),
        *("-c", "listen_addresses=127.0.0.1", "-c", "port=5433"),
        *("-c", "unix_socket_directories=/s", "-c", "unix_socket_permissions=0700"),
    )


def test_the_server_tells_its_state_in_its_pid_file(tmp_path: Path) -> None:
    assert postgres.state(tmp_path, 42) == "starting"
    lines = ["42", "/data", "1700000000", "5432", "/s", "127.0.0.1", "  1 2", "ready   "]
    (tmp_path / "postmaster.pid").write_text("\n".join(lines) + "\n")

    assert postgres.state(tmp_path, 42) == "ready"
    assert postgres.state(tmp_path, 43) == "starting"  # another server's file
    assert postgres.on_loopback(tmp_path)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", "ready"),
        (b"E\0\0\0\x40SFATAL\0C57P03\0Mthe database system is starting up\0\0", "starting"),
        (b"E\0\0\0\x40SFATAL\0C53300\0Msorry, too many clients already\0\0", "ready"),
        (b"HTTP/1.1 400 Bad Request", ""),
        (b"", ""),
    ],
)
def test_a_server_tells_before_the_password_whether_it_takes_anybody(
    said: bytes, state: str
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            line, _ = server.accept()
            with line:
                assert line.recv(100)[4:8] == b"\0\x03\0\0"
                line.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            assert postgres.answers(server.getsockname()[1], 5) == state
        finally:
            thread.join()


def test_what_takes_a_connection_and_says_nothing_is_no_state() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]

        assert postgres.answers(port, 0.2) == ""
    assert postgres.answers(port, 0.2) == ""


def test_the_version_of_data_is_that_of_the_programs_that_made_it(tmp_path: Path) -> None:
    assert postgres.version_of(tmp_path) == 0
    (tmp_path / "PG_VERSION").write_text("16\n")
    assert postgres.version_of(tmp_path) == 16

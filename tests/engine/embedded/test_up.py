"""A stack without Docker: what is declared is what runs."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from machine import COMPOSE, UNNAMED, Machine, running
from stacks import free_port


def test_the_database_is_the_declared_one(up: Machine) -> None:
    asked = up.sql(
        "SELECT current_user, current_database(), current_setting('max_connections'), "
        "current_setting('data_checksums'), current_setting('server_version_num')::int / 10000, "
        "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    )

    assert asked.ok().stdout == "app|shop|37|on|16|t"


def test_the_init_scripts_ran_in_order(up: Machine) -> None:
    assert up.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM kept").stdout >= "1 2"


def test_a_wrong_password_is_turned_away_on_every_address(up: Machine) -> None:
    for host in ("127.0.0.1", "localhost"):
        refused = up.sql("SELECT 1", password="wrong", host=host)

        assert refused.code != 0
        assert "password authentication failed" in refused.stderr


def test_the_cache_has_the_declared_password_and_options(up: Machine) -> None:
    with socket.create_connection(("127.0.0.1", up.ports["CACHE_PORT"]), 5) as line:
        line.sendall(b"GET x\r\n")
        assert line.recv(100).startswith(b"-NOAUTH")

    assert up.redis("SET", "x", "1") == "+OK"
    assert up.redis("GET", "x") == "1"
    assert up.redis("CONFIG", "GET", "appendonly").startswith("*2")


def test_ports_are_open_on_this_machine_alone(up: Machine) -> None:
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    wanted = {f"{number:04X}" for number in up.ports.values()}
    listening = [row[1].split(":") for row in rows if row[3] == "0A"]
    addresses = {address for address, number in listening if number in wanted}

    assert addresses
    assert addresses <= {"0100007F", "00000000000000000000000001000000"}


def test_ps_tells_the_engine_and_where_the_services_are(up: Machine) -> None:
    document = up.inv("stack.ps", "--json").ok().document

    assert document["engine"] == "embedded"
    rows = {each["name"]: each for each in document["services"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "cache": "running",
        "pg": "running",
    }
    assert rows["pg"]["health"] == "healthy"
    assert rows["pg"]["image"] == "postgres:16-alpine"
    assert rows["pg"]["ports"] == [
        {
            "host": "127.0.0.1",
            "published": up.ports["PG_PORT"],
            "target": 5432,
            "protocol": "tcp",
            "url": f"postgresql://127.0.0.1:{up.ports['PG_PORT']}",
        }
    ]


def test_a_second_up_leaves_running_services_alone_and_tells_what_runs_elsewhere(
    up: Machine,
) -> None:
    before = up.pid("pg"), up.pid("cache")

    again = up.up()

    assert (up.pid("pg"), up.pid("cache")) == before
    way = "run it with: inv env.run --service web --dir web -- npm run dev"
    assert f"web is not started without Docker; {way}" in again.stderr


def test_a_service_that_needs_a_container_is_refused_with_the_way_out(up: Machine) -> None:
    for words in (("stack.exec", "-s", "web", "--", "ls"),):
        refused = up.inv(*words)

        assert (refused.code, refused.hint) == (
            2,
            "run it with: inv env.run --service web --dir web -- npm run dev",
        )


def test_data_and_passwords_survive_down_and_up(up: Machine) -> None:
    up.sql("INSERT INTO kept VALUES (77)").ok()
    up.redis("SET", "kept", "yes")
    pids = up.pid("pg"), up.pid("cache")

    up.inv("stack.down").ok()

    assert not any(running(pid) for pid in pids)
    assert up.inv("stack.ps", "--json").document["services"] == []
    up.up()
    assert up.sql("SELECT id FROM kept WHERE id = 77").stdout == "77"
    assert up.redis("GET", "kept") == "yes"
    assert up.sql("SELECT 1", password="wrong").code != 0


def test_a_changed_option_restarts_one_service_and_keeps_its_data(up: Machine) -> None:
    cache = up.pid("cache")
    up.write("compose.yaml", COMPOSE.replace("max_connections=37", "max_connections=38"))

    up.up()

    assert up.sql("SHOW max_connections").stdout == "38"
    assert up.sql("SELECT count(*) >= 2 FROM kept").stdout == "t"
    assert up.pid("cache") == cache
    up.write("compose.yaml", COMPOSE)
    up.up()
    assert up.sql("SHOW max_connections").stdout == "37"


def test_a_changed_port_moves_the_service(up: Machine) -> None:
    old, new = up.ports["PG_PORT"], free_port()
    env = (up.folder / ".env").read_text()
    up.write(".env", env.replace(f"PG_PORT={old}", f"PG_PORT={new}"))
    up.ports["PG_PORT"] = new

    up.up()

    assert up.sql("SELECT 1").stdout == "1"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", old), 2)


def test_another_password_in_the_files_is_said_and_mended_without_losing_data(
    up: Machine,
) -> None:
    old = up.secrets["POSTGRES_PASSWORD"]
    env = (up.folder / ".env").read_text()
    up.write(".env", env.replace(old, old[::-1]))
    up.secrets["POSTGRES_PASSWORD"] = old[::-1]

    said = up.up()

    assert "it does not let user app in" in said.stderr
    up.inv("db.repair", "--yes").ok()
    assert up.sql("SELECT count(*) >= 2 FROM kept").ok().stdout == "t"


def test_no_secret_is_in_a_command_line_or_readable_by_others(up: Machine) -> None:
    for service in ("pg", "cache"):
        line = Path(f"/proc/{up.pid(service)}/cmdline").read_bytes().decode(errors="replace")
        assert not any(secret in line for secret in up.secrets.values())
        assert (up.home / service / "service.json").stat().st_mode & 0o77 == 0
        assert (up.home / service / "data").stat().st_mode & 0o77 == 0


def test_a_dry_run_plans_and_changes_nothing(make: Callable[..., Machine]) -> None:
    planned = make()

    said = planned.inv("--dry", "stack.up").ok()

    assert re.search(r"start pg on port \d+", said.stderr)
    assert not planned.home.exists()


def test_without_a_password_no_database_is_made(make: Callable[..., Machine]) -> None:
    blank = make()
    blank.write("compose.yaml", COMPOSE.replace("${POSTGRES_PASSWORD}", '""'))

    refused = blank.inv("stack.up")

    assert refused.code == 2
    assert refused.error.startswith("pg: POSTGRES_PASSWORD is empty")
    assert not (blank.home / "pg" / "data").exists()


def test_an_init_script_that_fails_leaves_no_database_behind(make: Callable[..., Machine]) -> None:
    broken = make(**{"init/3-broken.sql": "SELECT no_such_column;\n"})

    failed = broken.inv("stack.up")

    assert failed.code == 1
    assert failed.error == "pg: init/3-broken.sql: ended with code 3"
    assert "no_such_column" in failed.stderr
    assert not list((broken.home / "pg").glob("data*"))
    assert broken.socket_folders("pg") == []
    broken.write("init/3-broken.sql", "SELECT 1;\n")
    broken.up()
    assert broken.sql("SELECT count(*) FROM kept").stdout == "2"
    assert [str(each) for each in broken.socket_folders("pg")] == [broken.record("pg")["sockets"]]


def test_a_shell_script_ends_at_its_first_failure_unless_it_may_be_executed(
    make: Callable[..., Machine],
) -> None:
    script = 'psql -qc "SELECT no_such_column"\npsql -qc "CREATE TABLE later ()"\n'
    first = make(**{"init/3-broken.sh": script})

    failed = first.inv("stack.up")

    assert failed.code == 1
    assert failed.error == "pg: init/3-broken.sh: ended with code 1"
    assert not list((first.home / "pg").glob("data*"))
    (first.folder / "init/3-broken.sh").chmod(0o755)
    first.up()
    assert first.sql("SELECT to_regclass('later') IS NOT NULL").stdout == "t"


def test_init_scripts_see_the_names_that_the_service_leaves_to_the_image(
    make: Callable[..., Machine],
) -> None:
    plain = COMPOSE.replace("      POSTGRES_USER: app\n", "").replace(
        "      POSTGRES_DB: shop\n", ""
    )
    script = 'set -u\npsql -qc "CREATE SCHEMA \\"$POSTGRES_USER-$POSTGRES_DB\\""\n'
    made = make(plain, **{"init/3-names.sh": script})

    made.up("-s", "pg")

    names = "SELECT count(*) FROM pg_namespace WHERE nspname = 'postgres-postgres'"
    asked = made.inv("stack.exec", "-s", "pg", "--", "psql", "-XAtc", names)
    assert asked.ok().stdout == "1\n"


@pytest.mark.parametrize(("name", "packer"), [("3-dump.sql.gz", "gzip"), ("3-dump.sql.xz", "xz")])
def test_a_packed_script_that_is_broken_is_named(
    make: Callable[..., Machine], name: str, packer: str
) -> None:
    broken = make(**{f"init/{name}": "not packed at all"})

    failed = broken.inv("stack.up", "-s", "pg")

    assert failed.code == 2
    assert failed.error == f"pg: init/{name}: is no whole {Path(name).suffix} file"
    assert failed.hint == f"pack it again with {packer}, then: inv stack.up"
    assert not list((broken.home / "pg").glob("data*"))


def test_an_option_that_the_server_lacks_is_told_with_the_next_step(
    make: Callable[..., Machine],
) -> None:
    broken = make(COMPOSE.replace("max_connections=37", "no_such_option=1"))

    failed = broken.inv("stack.up", "-s", "pg")

    assert failed.code == 1
    assert failed.error == "service pg: did not start while its data was made"
    assert 'unrecognized configuration parameter "no_such_option"' in failed.stderr
    assert broken.socket_folders("pg") == []
    assert "inv stack.up" in failed.hint


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="root alone becomes somebody else"
)
def test_a_user_without_a_name_is_told_how_to_get_one(make: Callable[..., Machine]) -> None:
    nameless = make()
    for path in (nameless.folder, *nameless.folder.rglob("*")):
        os.chown(path, 54321, 54321)
    nameless.around = UNNAMED

    refused = nameless.inv("stack.up")

    assert refused.code == 2, refused.text
    assert "service pg: user 54321 has no name on this machine" in refused.error
    assert "useradd --uid 54321" in refused.hint
    assert not (nameless.home / "pg" / "data").exists()


def test_a_server_that_ends_while_it_starts_leaves_no_socket_folder(
    make: Callable[..., Machine],
) -> None:
    lacking = "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library';\n"
    broken = make(**{"init/3-lacking.sql": lacking})

    failed = broken.inv("stack.up", "-s", "pg")

    assert failed.code == 1
    assert failed.error == "pg: ended while it started"
    assert broken.socket_folders("pg") == []

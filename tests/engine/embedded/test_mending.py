"""Processes that were killed, lost or replaced: seen, mended, and nobody else's touched."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from machine import BUSY, COMPOSE, CONTAINED, Machine, running, working_below
from stacks import Begun, until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(SLEEP) as child:
        yield child
        child.kill()


def state(machine: Machine, service: str) -> tuple[str, int]:
    rows = machine.inv("stack.ps", "--json").ok().document["services"]
    return next((each["state"], each["exit_code"]) for each in rows if each["name"] == service)


@pytest.mark.parametrize("service", ["pg", "cache"])
def test_a_killed_server_is_seen_and_mended_with_all_that_was_committed(
    up: Machine, service: str
) -> None:
    number = random.randrange(1000, 10**9)  # noqa: S311 - not for cryptography
    up.sql(f"INSERT INTO kept VALUES ({number})").ok()  # noqa: S608 - a number
    up.redis("SET", "number", str(number))
    other = up.pid("cache" if service == "pg" else "pg")

    os.kill(up.pid(service), signal.SIGKILL)
    until(lambda: not running(up.pid(service)), 5, "it does not die")

    assert state(up, service) == ("exited", 255)
    up.up()
    assert state(up, service) == ("running", 0)
    assert up.sql(f"SELECT count(*) FROM kept WHERE id = {number}").stdout == "1"  # noqa: S608 - a number
    assert up.redis("GET", "number") == str(number)
    assert running(other)


def test_a_number_that_another_process_has_now_is_not_ours(
    up: Machine, bystander: subprocess.Popen[bytes]
) -> None:
    record = up.record("cache")
    os.kill(record["pid"], signal.SIGKILL)
    text = (up.home / "cache" / "service.json").read_text()
    reused = text.replace(f'"pid": {record["pid"]}', f'"pid": {bystander.pid}')
    (up.home / "cache" / "service.json").write_text(reused)

    assert state(up, "cache") == ("exited", 255)
    up.inv("stack.stop", "-s", "cache").ok()

    assert bystander.poll() is None
    up.inv("stack.start").ok()
    assert up.redis("PING") == "+PONG"


def test_a_pid_file_of_postgres_that_names_another_process_is_no_obstacle(
    up: Machine, bystander: subprocess.Popen[bytes]
) -> None:
    pid = up.pid("pg")
    os.kill(pid, signal.SIGKILL)
    until(lambda: not running(pid), 5, "it does not die")
    lock = up.home / "pg" / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")

    up.up()

    assert bystander.poll() is None
    assert up.sql("SELECT 1").stdout == "1"


def test_servers_whose_record_is_lost_are_found_and_replaced(up: Machine) -> None:
    lost = up.pid("pg"), up.pid("cache")
    for service in ("pg", "cache"):
        (up.home / service / "service.json").unlink()

    up.up()

    assert not any(running(pid) for pid in lost)
    assert up.sql("SELECT 1").stdout == "1"
    assert up.redis("PING") == "+PONG"


def test_down_ends_servers_whose_record_is_lost(up: Machine) -> None:
    (up.home / "cache" / "service.json").unlink()

    up.inv("stack.down").ok()

    assert working_below(up.folder) == []
    up.up()


def test_a_deaf_server_is_unhealthy_and_restart_mends_it(up: Machine) -> None:
    os.kill(up.pid("pg"), signal.SIGSTOP)
    try:
        rows = up.inv("stack.ps", "--json").ok().document["services"]
        assert [each["health"] for each in rows if each["name"] == "pg"] == ["unhealthy"]
    finally:
        os.kill(up.pid("pg"), signal.SIGCONT)
    up.inv("stack.restart", "-s", "pg").ok()
    assert up.sql("SELECT 1").stdout == "1"


CONTAINER = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="drops a right of root"
)


@pytest.mark.parametrize("around", [(), pytest.param(CONTAINED, marks=CONTAINER)])
def test_a_busy_orphan_of_a_killed_server_is_ended_first(
    up: Machine, around: tuple[str, ...]
) -> None:
    contained = dataclasses.replace(up, around=around)
    psql = [*contained.command("stack.exec", "-s", "pg", "--", "psql", "-Xc", BUSY)]
    with subprocess.Popen(
        psql,
        cwd=up.folder,
        env=up.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        asked = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%3000000000%' AND state = "
        asked += "'active' AND pid <> pg_backend_pid()"
        until(lambda: up.sql(asked).stdout, 20, "it never runs")
        orphan = int(up.sql(asked).stdout)
        os.kill(up.pid("pg"), signal.SIGKILL)

        contained.up()

        assert not running(orphan)
        child.kill()
    assert up.sql("SELECT count(*) >= 2 FROM kept").stdout == "t"


def test_a_copy_of_the_project_never_touches_the_servers_of_the_first(
    up: Machine, make: Callable[..., Machine]
) -> None:
    pids = up.pid("pg"), up.pid("cache")
    copy = make()
    shutil.copytree(up.home.parent, copy.folder / ".invoke-stack")

    assert {each["state"] for each in copy.inv("stack.ps", "--json").document["services"]} == {
        "exited"
    }
    copy.inv("stack.stop").ok()
    copy.inv("stack.down").ok()

    assert all(running(pid) for pid in pids)
    copy.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    assert up.sql("SELECT 1").stdout == "1"
    assert up.inv("stack.exec", "-s", "pg", "--", "psql", "-XAtc", "SELECT 1").stdout == "1\n"


def test_a_moved_project_finds_its_servers_again(make: Callable[..., Machine]) -> None:
    moved = make()
    moved.up()
    pid = moved.pid("pg")
    moved.folder = moved.folder.rename(moved.folder.with_name("moved"))

    moved.up()

    assert not running(pid)
    assert moved.sql("SELECT count(*) FROM kept").stdout == "2"


def test_docker_is_refused_while_the_servers_here_run(up: Machine) -> None:
    refused = up.inv("stack.up", environ={"INVSTACK_ENGINE": "docker"})

    assert refused.code == 4
    assert refused.hint == "INVSTACK_ENGINE=embedded inv stack.down"


def test_a_port_in_use_is_refused_with_its_holder_before_anything_is_made(
    make: Callable[..., Machine],
) -> None:
    wanted = make()
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", wanted.ports["PG_PORT"]))
        held.listen()

        refused = wanted.inv("stack.up")

    assert refused.code == 2
    assert str(wanted.ports["PG_PORT"]) in refused.error
    assert f"process {os.getpid()}" in refused.text
    assert not list(wanted.home.glob("*/data"))


def test_of_two_ups_at_once_one_waits_for_nobody_and_both_leave_one_stack(
    make: Callable[..., Machine], begin: Callable[..., Begun]
) -> None:
    twice = make()
    first, second = begin(twice, "stack.up"), begin(twice, "stack.up")

    codes = sorted((first.end(60).code, second.end(60).code))

    assert codes in ([0, 5], [0, 0])
    assert twice.sql("SELECT count(*) FROM kept").stdout == "2"
    postmasters = [each for each in working_below(twice.folder) if "redis" in each]
    assert len(postmasters) == 1


def test_an_up_that_is_killed_at_any_moment_leaves_nothing_that_the_next_one_minds(
    make: Callable[..., Machine], begin: Callable[..., Begun]
) -> None:
    killed = make()
    for delay in (0.5, 0.9, 1.3, 1.7):
        run = begin(killed, "stack.up")
        time.sleep(delay)
        run.signal(signal.SIGKILL, group=False)
        run.child.wait()

    killed.up()

    assert killed.sql("SELECT count(*) FROM kept").stdout == "2"
    assert len(list((killed.home / "pg").glob("data*"))) == 1
    killed.inv("stack.down").ok()
    assert working_below(killed.folder) == []


def test_an_interrupted_first_up_leaves_no_half_made_database(
    make: Callable[..., Machine], begin: Callable[..., Begun]
) -> None:
    slow = make(**{"init/3-slow.sql": "SELECT pg_sleep(30);\n"})
    run = begin(slow, "stack.up")
    run.said("3-slow.sql")

    run.signal(signal.SIGINT, group=True)

    assert run.end().code == 130
    assert not list((slow.home / "pg").glob("data*"))
    assert slow.socket_folders("pg") == []
    assert [each for each in working_below(slow.folder) if "postgres" in each] == []


def test_a_port_that_nobody_chose_is_another_one_where_somebody_took_it(
    make: Callable[..., Machine],
) -> None:
    made = make(COMPOSE.replace('    ports: ["${PG_PORT}:5432"]\n', ""))
    made.up("-s", "pg")
    port = made.record("pg")["port"]
    made.inv("stack.stop", "-s", "pg").ok()

    with socket.create_server(("127.0.0.1", port)):
        started = made.inv("stack.start", "-s", "pg")
        made.up("-s", "pg")

    assert started.code == 1
    assert started.error == f"pg: could not listen on 127.0.0.1:{port}"
    assert "inv stack.up" in started.hint
    assert made.record("pg")["port"] != port


def test_a_database_with_a_lost_file_is_told_and_can_begin_anew(
    make: Callable[..., Machine],
) -> None:
    made = make()
    made.up("-s", "pg")
    made.inv("stack.stop", "-s", "pg").ok()
    (made.home / "pg/data/global/pg_control").unlink()

    refused = made.inv("stack.up", "-s", "pg")

    assert refused.code == 1
    assert refused.error.endswith("pg/data: is no whole database: it has no global/pg_control")
    assert "inv stack.down --volumes --no-backup" in refused.hint
    made.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    made.up("-s", "pg")

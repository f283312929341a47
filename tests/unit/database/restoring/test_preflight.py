"""What is asked before anything is created."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from invoke_stack.database.catalog import Entry
from invoke_stack.database.restoring import preflight
from invoke_stack.database.restoring.plaindump import Summary
from invoke_stack.database.restoring.source import Source
from invoke_stack.database.state import Database, Machine, Server
from invoke_stack.database.values import Header
from invoke_stack.errors import RefusedError, StackError, UsageError

SERVER = Server(
    version="16.14",
    major=16,
    user="app",
    superuser=False,
    creates=True,
    roles=frozenset({"app"}),
    extensions={"plpgsql": "1.0"},
    names=frozenset({"app"}),
    databases=(Database("app", owner="app"),),
)


def archive(version: str) -> Source:
    entry = Entry(Path("x.dump"), None, 1, datetime(2026, 1, 1, tzinfo=UTC))
    return Source(entry, "archive", Header(version, "gzip"))


@pytest.mark.parametrize("made", ["", "9.6.24", "15.1", "16.14", "16beta1"])
def test_a_dump_of_the_same_or_an_older_server_goes(made: str) -> None:
    preflight.require_version(made, SERVER, force=False)


def test_a_dump_of_a_newer_server_goes_only_by_force() -> None:  # A23
    with pytest.raises(RefusedError, match=r"from PostgreSQL 17\.2, this server is 16\.14"):
        preflight.require_version("17.2", SERVER, force=False)
    preflight.require_version("17.2", SERVER, force=True)


def test_the_program_has_to_read_the_archive() -> None:  # A22
    preflight.require_reader(archive("1.15"), 16, Machine(16, 1, -1))
    preflight.require_reader(archive("1.16"), 17, Machine(0, 1, -1))
    with pytest.raises(RefusedError, match=r"archive 1\.16 needs .* version 17"):
        preflight.require_reader(archive("1.16"), 17, Machine(16, 1, -1))


def test_extensions_have_to_be_there() -> None:  # A29
    preflight.require_extensions(Summary(extensions={"plpgsql"}), SERVER)
    with pytest.raises(UsageError, match="does not have: postgis, vector"):
        preflight.require_extensions(Summary(extensions={"vector", "postgis"}), SERVER)


def test_roles_have_to_be_there() -> None:  # A28
    missing = preflight.missing_roles(Summary(roles={"app", "zoe", "bob"}), SERVER)

    assert missing == ("bob", "zoe")
    preflight.require_roles((), "app")
    with pytest.raises(UsageError, match="are missing here: bob, zoe") as caught:
        preflight.require_roles(missing, "app")
    assert "--create-roles" in caught.value.hint
    assert "--no-owner" in caught.value.hint


def test_the_user_has_to_be_allowed_to_exchange_databases() -> None:
    preflight.require_rights(SERVER, "app")
    preflight.require_rights(SERVER, "not there yet")
    with pytest.raises(UsageError, match="may not create databases"):
        preflight.require_rights(dataclasses.replace(SERVER, creates=False), "app")
    theirs = Database("app", owner="ann", owned=False)
    with pytest.raises(UsageError, match="belongs to ann"):
        preflight.require_rights(dataclasses.replace(SERVER, databases=(theirs,)), "app")


def test_there_has_to_be_room_beside_the_data() -> None:
    preflight.require_room(Machine(16, 1, -1), 10**12)
    with pytest.raises(StackError, match=r"db\.migrate --rehearse: too little room"):
        preflight.require_room(Machine(16, 1, 1100), 1000, "db.migrate --rehearse")
    preflight.require_room(Machine(16, 1, 1200), 1000)
    with pytest.raises(StackError, match=r"1\.2 GiB are needed, 1000\.0 MiB are free"):
        preflight.require_room(Machine(16, 1, 1000 * 1024**2), 1000 * 1024**2)

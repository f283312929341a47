"""Programs, accounts and what a declared service becomes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose.model import Mount, Service
from invoke_stack.engines.embedded import (
    account,
    declaring,
    initscripts,
    mounts,
    programs,
    record,
)
from invoke_stack.engines.embedded.account import Account
from invoke_stack.engines.embedded.processes import Identity, alive, identify, working_in
from invoke_stack.engines.embedded.record import Record
from invoke_stack.errors import UsageError
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Project]:
    """A project on whose PATH PostgreSQL of some versions is."""

    def make(*versions: str, setting: str = "") -> Project:
        folders = []
        for version in versions:
            folder = tmp_path / f"pg-{version}" / "bin"
            folder.mkdir(parents=True)
            for name in ("postgres", "initdb", "psql"):
                (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version} (x)"\n')
                (folder / name).chmod(0o755)
            folders.append(str(folder))
        closed = tmp_path / "closed"
        closed.mkdir(mode=0)
        environ = {"PATH": os.pathsep.join([str(closed), *folders, "/usr/bin", "/bin"])}
        values = {"embedded": {"postgres": setting}} if setting else {}
        settings = load([Source("test", values)])
        return Project(tmp_path, settings, SystemRunner(environ), environ)

    return make


def test_the_exact_major_version_is_taken_wherever_it_is(installed: Callable[..., Project]) -> None:
    found, why = programs.find(installed("12.3", "93.1", "92.7"), "postgres", 92)

    assert (found.version, found.folder.parent.name, why) == ((92, 7), "pg-92.7", "")


def test_else_the_nearest_with_the_reason(installed: Callable[..., Project]) -> None:
    found, why = programs.find(installed("93.1", "97.2"), "postgres", 99)

    assert found.shown == "97.2"
    assert why.startswith("runs on 97.2: of version 99 no programs are here, only 93.1, 97.2")


def test_without_a_wanted_version_the_newest_is_taken(installed: Callable[..., Project]) -> None:
    assert programs.find(installed("93.1", "97.2"), "postgres", 0)[0].shown == "97.2"


def test_data_of_another_version_is_never_given_to_the_wrong_programs(
    installed: Callable[..., Project],
) -> None:
    with pytest.raises(UsageError, match="the data here is of version 99"):
        programs.exact(installed("93.1"), "postgres", 99)


def test_a_setting_is_the_only_place(installed: Callable[..., Project]) -> None:
    project = installed("93.1", "97.2", setting="pg-93.1")

    assert programs.find(project, "postgres", 97)[0].shown == "93.1"


def test_a_setting_without_programs_says_what_it_names(installed: Callable[..., Project]) -> None:
    with pytest.raises(UsageError, match="no postgres in pg-none"):
        programs.find(installed(setting="pg-none"), "postgres", 16)


@pytest.mark.parametrize(
    ("image", "major"),
    [
        ("postgres:16-alpine", 16),
        ("postgres", 0),
        ("postgres:latest", 0),
        ("localhost:5000/postgres:15.4@sha256:abc", 15),
        ("localhost:5000/postgres:15", 15),
        ("postgres:16.4@sha256:0123", 16),
        ("pgvector/pgvector:pg17", 17),
        ("timescale/timescaledb:2.14.2-pg16", 16),
        ("postgis/postgis:16-3.4", 16),
        ("redis:7.2", 7),
    ],
)
def test_the_major_version_stands_in_the_tag(image: str, major: int) -> None:
    assert declaring.major(image) == major


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        (Service("a", image="postgres:16"), "postgres"),
        (Service("a", image="valkey/valkey:8"), "redis"),
        (Service("a", image="dpage/pgadmin4"), None),
        (Service("a", image="postgres:16", build='{"context": "."}'), None),
    ],
)
def test_only_databases_and_caches_that_are_not_built_run_here(
    service: Service, kind: str | None
) -> None:
    assert declaring.kind_of(service) == kind


def test_a_path_inside_the_container_is_looked_up_in_the_nearest_mount() -> None:
    known = (Mount(Path("/a"), "/etc"), Mount(Path("/b"), "/etc/pg"))

    assert mounts.find("/etc/pg/x.conf", known) == Path("/b/x.conf")
    assert mounts.find("/etc/pgx", known) == Path("/a/pgx")
    assert mounts.find("/srv", known) is None
    assert mounts.inside("config_file=/etc/pg/x.conf", known) == "config_file=/b/x.conf"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/var/lib/postgresql/data", True),
        ("/var/lib/postgresql/data/pgdata", True),
        ("/data", True),
        ("/docker-entrypoint-initdb.d", False),
        ("/database", False),
    ],
)
def test_data_in_a_folder_of_the_project_is_said_to_be_elsewhere(
    target: str, *, said: bool
) -> None:
    service = Service("pg", image="postgres:16", mounts=(Mount(Path("/shop/data"), target),))

    assert bool(declaring.elsewhere(service)) == said


def test_init_scripts_are_ordered_by_name_and_the_rest_is_told(tmp_path: Path) -> None:
    for name in ("2.sh", "10.sql", "1.sql.gz", "notes.txt"):
        (tmp_path / name).write_text("")

    known, unknown = initscripts.find(tmp_path, ())

    assert [each.name for each in known] == ["1.sql.gz", "10.sql", "2.sh"]
    assert [each.name for each in unknown] == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
def test_root_hands_a_server_to_whoever_called_sudo_and_others_run_it_themselves(
    tmp_path: Path,
) -> None:
    found = account.find({"SUDO_UID": "65534"}, tmp_path, tmp_path / "none")

    if os.geteuid() == 0:
        assert found is not None
        assert found.uid == 65534
    else:
        assert found is None


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
def test_programs_that_an_account_can_enter_are_used_where_they_are(
    installed: Callable[..., Project],
) -> None:
    # The root of the file system is open to everybody.
    found = programs.Programs(Path("/"), "postgres", (16,))

    assert account.reachable(found, "postgres", Account(65534, 65534, "nobody")) is found
    assert account.reachable(found, "postgres", None) is found


def test_a_process_is_known_by_its_number_and_its_birth() -> None:
    runner = SystemRunner(dict(os.environ))
    ours = identify(runner, os.getpid())

    assert ours is not None
    assert alive(runner, ours)
    assert not alive(runner, Identity(ours.pid, "another birth"))
    assert identify(runner, 0) is None


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_where_there_is_no_proc_folder_ps_tells(tmp_path: Path) -> None:
    runner = SystemRunner(dict(os.environ))
    ours = identify(runner, os.getpid(), proc=tmp_path)

    assert ours is not None
    assert ours == identify(runner, os.getpid(), proc=tmp_path)
    assert ours.born != getattr(identify(runner, 1, proc=tmp_path), "born", "")
    assert identify(runner, 2**22 + 1, proc=tmp_path) is None


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_without_proc_a_server_is_found_by_the_pid_file_that_it_wrote_and_nobody_else_is(
    tmp_path: Path,
) -> None:
    runner, nowhere = SystemRunner(dict(os.environ)), tmp_path / "proc"
    with server(tmp_path, Path("/")) as child:
        (tmp_path / "redis.pid").write_text(f"{child.pid}\n")
        assert working_in(runner, tmp_path, proc=nowhere) == (child.pid,)

        old = time.time() - 3600  # then the number belonged to another process
        os.utime(tmp_path / "redis.pid", (old, old))
        assert working_in(runner, tmp_path, proc=nowhere) == ()

        (tmp_path / "redis.pid").write_text(f"{os.getpid()}\n")
        assert working_in(runner, tmp_path, proc=nowhere) == ()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc of Linux")
def test_a_server_is_found_by_its_folder_and_not_in_a_copy_of_it(tmp_path: Path) -> None:
    runner = SystemRunner(dict(os.environ))
    own, copy = tmp_path / "own", tmp_path / "copy"
    own.mkdir()
    with server(tmp_path, own) as child:
        (own / "redis.pid").write_text(f"{child.pid}\n")
        shutil.copytree(own, copy)

        assert working_in(runner, own) == (child.pid,)
        assert working_in(runner, copy) == ()


@contextlib.contextmanager
def server(folder: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run something that is called like a server."""
    program = folder / "redis-server"
    shutil.copy2(shutil.which("sleep") or "sleep", program)
    with subprocess.Popen([program, "60"], cwd=cwd) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_record_comes_back_as_it_was_and_changes_its_mark_with_what_needs_a_restart(
    installed: Callable[..., Project],
) -> None:
    project = installed()
    written = Record(
        service="pg",
        kind="postgres",
        image="postgres:16",
        place=record.place(project, "pg"),
        volume="shop_pg",
        target=5432,
        port=5433,
        programs="/usr/bin",
        argv=("postgres",),
        sockets="/s",
        account=(1, 2),
        environment={"POSTGRES_PASSWORD": "hidden"},
        command=("postgres",),
        pid=7,
        born="x/8",
        started=9.5,
    )

    record.write(project, written)
    found = record.read(project, "pg")

    assert found == written
    assert "hidden" not in repr(found)
    assert record.names(project) == ("pg",)
    assert dataclasses.replace(written, pid=8, started=10.0).mark == written.mark
    assert dataclasses.replace(written, port=5434).mark != written.mark
    record.write(project, dataclasses.replace(written, place="/the/first/project"))
    copied = record.read(project, "pg")
    assert copied is not None
    assert (copied.pid, copied.sockets, copied.port) == (0, "", 5433)
    record.remove(project, "pg")
    assert record.read(project, "pg") is None


@pytest.mark.parametrize(
    "wrong",
    [{"pid": "abc"}, {"environment": [1]}, {"account": 5}, {"argv": 5}, {"port": None}],
)
def test_a_broken_record_is_none(make_project: Any, wrong: Mapping[str, Any]) -> None:
    project = make_project()
    folder = record.home(project, "pg").folder
    folder.mkdir(parents=True)
    whole = {
        "service": "pg",
        "kind": "postgres",
        "image": "postgres:16",
        "folder": "/shop",
        "place": "/shop",
        "volume": "shop_pg",
        "target": 5432,
        "port": 5433,
        "programs": "/bin",
        "argv": ["postgres"],
        "sockets": "/run/x",
        "account": None,
        "environment": {},
        "command": [],
    }
    (folder / "service.json").write_text(json.dumps({**whole, **wrong}))

    assert record.read(project, "pg") is None
    (folder / "service.json").write_text(json.dumps(whole))
    assert record.read(project, "pg") is not None

"""Two major versions of PostgreSQL: what an older program says about a newer server's work."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database.postgres import Postgres
from invoke_stack.database.values import Login
from invoke_stack.errors import UsageError

pytestmark = pytest.mark.engine

NEWER = "postgres:17"


@pytest.fixture(scope="module")
def newer(make_site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of the next major version."""
    site = make_site(tmp_path_factory.mktemp("newer"), NEWER)
    try:
        site.compose("up", "--detach")
        assert site.run("wait", timeout_s=60)[0] == 0
        site.psql("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g;")
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "1")


def test_a_server_with_zstd_gets_it_and_the_backup_is_proved(newer: Any) -> None:
    code, made, err = newer.run("backup")

    assert code == 0, err
    assert made["manifest"]["compression"] == "zstd:1"
    assert made["manifest"]["archive"] == "1.16"
    assert "-pg17" in made["file"]
    _, result, err = newer.run("verify", file=made["file"], restore=True)
    assert result["level"] == "L3", err


def test_an_older_program_leaves_a_newer_backup_unchecked_not_failed(newer: Any, site: Any) -> None:
    made = newer.run("backup")[1]
    file = Path(made["file"])
    site.backups.mkdir()
    for path in (file, Path(f"{file}.json")):
        shutil.copy(path, site.backups)

    code, result, err = site.run("verify", file=f"backups/{file.name}", restore=True)

    assert code == 0, err
    assert result["ok"]
    assert [check["state"] for check in result["checks"]] == ["ok", "ok", "unchecked"]
    assert "is older than the backup: " in result["checks"][-1]["text"]
    assert "unsupported version (1.16)" in result["checks"][-1]["text"]


def test_an_older_program_does_not_adopt_what_it_cannot_read(newer: Any, site: Any) -> None:
    file = Path(newer.run("backup")[1]["file"])
    site.backups.mkdir()
    shutil.copy(file, site.backups)

    code, _, err = site.run("adopt", file=f"backups/{file.name}")

    assert code == 1
    assert "is older than the backup" in err
    assert not list(site.backups.glob("*.json"))


def test_an_older_client_of_a_newer_server_is_told_with_both_versions(
    newer: Any, site: Any
) -> None:  # A21
    network = "{{range .NetworkSettings.Networks}}{{.NetworkID}}{{end}}"
    where = newer.docker("inspect", "--format", network, newer.container)
    words = ("run", "--rm", "--network", where, "--env", "PGPASSWORD=canary-s3cret-pw")
    dump = ("pg_dump", "-h", "pg", "-U", "app", "-Fc", "app")
    image = newer.docker("inspect", "--format", "{{.Config.Image}}", site.container)
    program = shutil.which("docker") or "docker"
    done = subprocess.run([program, *words, image, *dump], capture_output=True, check=False)

    problem = Postgres().explain(Login("app", "app"), done.stderr.decode())

    assert done.returncode == 1
    assert isinstance(problem, UsageError)
    assert "pg_dump 16." in problem.message
    assert "server 17." in problem.message


def test_a_volume_of_an_older_version_is_told_by_up_and_by_wait(project: Any) -> None:
    compose = """
services:
  pg:
    image: postgres:16-alpine
    environment: {POSTGRES_PASSWORD: pw, PGDATA: /data/pg}
    volumes: ["data:/data"]
volumes: {data: {}}
"""
    stack = project(compose=compose)
    stack.up()
    stack.write("compose.yaml", compose.replace("postgres:16-alpine", NEWER))

    up = stack.inv("stack.up")

    assert up.code == 1
    assert up.error.startswith("pg: its volume was made by PostgreSQL 16 and its image is Postgre")
    assert "inv db.upgrade" in up.hint
    assert stack.inv("db.wait").error.startswith("service pg: its volume was made by PostgreSQL 16")
    stack.write("compose.yaml", compose)
    stack.up()

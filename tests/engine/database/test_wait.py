"""`db.wait` on a fresh volume, and how it fails."""

import time
from typing import Any

import pytest

pytestmark = pytest.mark.engine


@pytest.mark.both
def test_ready_means_that_the_apps_database_answers_over_tcp(fresh: Any) -> None:  # A41
    (fresh.root / "init.sql").write_text("SELECT pg_sleep(2); CREATE TABLE made_at_init ();")
    compose = fresh.root / "compose.yaml"
    volume = "    volumes: ['./init.sql:/docker-entrypoint-initdb.d/init.sql:ro']\n"
    compose.write_text(compose.read_text() + volume)
    fresh.up()

    code, _, err = fresh.run("wait", timeout_s=60)

    assert code == 0, err
    assert fresh.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'made_at_init';") == "1"


def test_too_short_a_wait_is_unreachable(fresh: Any) -> None:  # A41
    compose = fresh.root / "compose.yaml"
    compose.write_text(compose.read_text() + "    entrypoint: ['sleep', '60']\n")
    fresh.compose("up", "--detach")

    code, _, err = fresh.run("wait", timeout_s=1)

    assert code == 6
    assert "was not ready after 1 s" in err
    assert "inv stack.logs -s pg" in err


def test_a_container_that_ends_is_told_at_once_with_its_log(fresh: Any) -> None:
    compose = fresh.root / "compose.yaml"
    script = "echo the volume is broken; exit 3"
    compose.write_text(compose.read_text() + f"    entrypoint: ['sh', '-c', '{script}']\n")
    fresh.compose("up", "--detach")
    began = time.monotonic()

    code, _, err = fresh.run("wait", timeout_s=60)

    assert code == 1
    assert "ended with code 3" in err
    assert "the volume is broken" in err
    assert time.monotonic() - began < 10


@pytest.mark.both
@pytest.mark.parametrize("verb", ["wait", "backup"])
def test_a_stack_that_was_not_started_is_named(fresh: Any, verb: str) -> None:  # A42
    code, _, err = fresh.run(verb)

    assert code == 6
    lacks = "has no container" if fresh.engine == "docker" else "is not running"
    assert f"service pg: {lacks}" in err
    assert "inv stack.up" in err


@pytest.mark.both
def test_a_folder_that_is_a_file_is_one_line_and_a_hint(site: Any) -> None:  # A42
    site.backups.write_text("not a folder")

    code, _, err = site.run("backup")

    assert code == 2
    assert "cannot be created" in err
    assert "Traceback" not in err


def test_a_missing_docker_program_is_named(site: Any) -> None:  # A42
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        code, _, err = site.run("backup")

    assert code == 2
    assert "docker" in err
    assert "Traceback" not in err

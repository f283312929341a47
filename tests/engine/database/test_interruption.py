"""What is left when a backup is interrupted, killed, or loses its container."""

import os
import signal
import time
from typing import Any

import pytest

pytestmark = pytest.mark.engine

BIG = {"db": {"name": "big"}}


def nothing_runs(site: Any) -> bool:
    return site.programs("pg_dump") == 0 and site.sessions() == 0


@pytest.mark.both
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_dump_where_it_runs(  # A6
    site: Any, number: int, expected: int
) -> None:
    child = site.start("backup", settings=BIG)
    site.streaming(child)
    assert site.programs("pg_dump") == 1

    began = time.monotonic()
    child.send_signal(number)
    child.communicate(timeout=30)
    ended = time.monotonic() - began
    while not nothing_runs(site) and time.monotonic() - began < 10:
        time.sleep(0.05)

    assert time.monotonic() - began < 3
    assert ended < 3
    assert child.returncode == expected
    assert site.files() == set()


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.15, 0.3])
def test_a_signal_before_the_first_byte_ends_the_dump_too(site: Any, after_s: float) -> None:
    child = site.start("backup", settings=BIG)
    site.until(lambda: any(site.backups.rglob(".*.partial")), child)
    time.sleep(after_s)

    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)

    assert time.monotonic() - began < 3
    assert child.returncode == 130
    assert nothing_runs(site)
    assert site.files() == set()


@pytest.mark.both
def test_a_killed_tool_is_cleaned_up_after_by_the_next_run(site: Any) -> None:  # A14
    child = site.start("backup", settings=BIG)
    site.streaming(child)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    assert len(site.files()) == 1
    left = site.sessions()
    # A program on this machine ends with the pipe that it writes to, one in a container does not.
    assert left == (1 if site.engine == "docker" else 0)

    code, _, err = site.run("backup", settings=BIG)

    assert code == 0
    assert "unfinished by a run that died" in err
    assert ("ended 1 session(s)" in err) == bool(left)
    assert len(site.files()) == 2
    assert not any("partial" in name for name in site.files())


def test_a_live_run_of_another_clone_is_left_alone(site: Any, tmp_path: Any) -> None:
    other = type(site)(tmp_path / "clone", site.name)
    other.root.mkdir()
    (other.root / "compose.yaml").write_text((site.root / "compose.yaml").read_text())
    child = other.start("backup", settings=BIG)
    other.streaming(child)

    code, _, err = site.run("backup", settings=BIG)
    _, other_err = child.communicate(timeout=60)

    assert code == 0, err
    assert child.returncode == 0, other_err


@pytest.mark.both
def test_a_server_that_dies_publishes_nothing(site: Any) -> None:  # A7
    child = site.start("backup", settings=BIG)
    site.streaming(child)
    site.kill()
    try:
        _, err = child.communicate(timeout=30)
    finally:
        site.up_again()
        assert site.run("wait", timeout_s=60)[0] == 0

    assert child.returncode == 1
    assert "is not running (exited)" in err
    assert "inv stack.up" in err
    assert site.files() == set()

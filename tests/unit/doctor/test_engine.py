from __future__ import annotations

from pathlib import Path

import pytest

from invoke_stack.doctor import engine

GIB = 1024**3
URL = "unix:///var/run/docker.sock"


def test_an_engine_is_told_with_its_version_and_address() -> None:
    found = engine.judged({"ServerVersion": "26.1.5"}, (1, 45), URL)

    assert found.state == "ok"
    assert found.message == f"Docker Engine 26.1.5 at {URL} (API 1.45)"


def test_an_engine_without_start_interval_is_a_warning() -> None:
    found = engine.judged({"ServerVersion": "24.0.9"}, (1, 43), URL)

    assert (found.state, found.fix) == ("warning", "update to Docker Engine 25")
    assert "start_interval (API 1.44)" in found.message


@pytest.mark.parametrize(
    ("count", "state"),
    [(GIB - 1, "error"), (GIB, "warning"), (5 * GIB - 1, "warning"), (5 * GIB, "ok")],
)
def test_little_room_is_a_warning_and_none_an_error(count: int, state: str) -> None:
    assert engine.free("docker", Path("/data"), count, "make room").state == state


@pytest.mark.parametrize(
    ("there", "state"),
    [(97.9, "warning"), (98.1, "ok"), (100.5, "ok"), (102.9, "ok"), (103.1, "warning")],
)
def test_a_clock_may_be_two_seconds_off(there: float, state: str) -> None:
    assert engine.skew("docker", there, 100.0, 101.0).state == state


def test_a_clock_that_is_off_says_which_way() -> None:
    assert engine.skew("pg", 40.0, 100.0, 100.0).message.startswith("60 s behind this machine")
    assert engine.skew("pg", 160.0, 100.0, 100.0).message.startswith("60 s ahead of this machine")


def test_an_engine_without_a_clock_is_unknown() -> None:
    assert engine.skew("docker", 0.0, 100.0, 100.0).state == "unknown"

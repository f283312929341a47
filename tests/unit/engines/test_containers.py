from __future__ import annotations

from typing import Any

import pytest

from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines.containers import Binding, check, from_inspect

# As Docker Engine 26.1 prints it; what nobody reads is left out.
INSPECTED: dict[str, Any] = {
    "Id": "7730462f4cdd7a88",
    "Created": "2026-11-20T18:52:18.465610684Z",
    "State": {
        "Status": "running",
        "Running": True,
        "Pid": 10960,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": "2026-11-20T18:52:18.896495976Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "healthy",
            "FailingStreak": 0,
            "Log": [
                {"ExitCode": 2, "Output": "localhost:5432 - no response\n"},
                {"ExitCode": 0, "Output": "localhost:5432 - accepting connections\n"},
            ],
        },
    },
    "Image": "sha256:de6b3d5d",
    "Name": "/shop-postgres-1",
    "RestartCount": 1,
    "Config": {
        "Env": ["POSTGRES_PASSWORD=canary"],
        "Healthcheck": {
            "Test": ["CMD-SHELL", "pg_isready -U app"],
            "Interval": 10000000000,
            "Timeout": 5000000000,
            "StartPeriod": 60000000000,
            "StartInterval": 500000000,
            "Retries": 5,
        },
        "Image": "postgres:16-alpine",
        "Labels": {
            "com.docker.compose.config-hash": "5fda4365",
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.project": "shop",
            "com.docker.compose.project.working_dir": "/home/me/shop",
            "com.docker.compose.service": "postgres",
            "dev.invoke-stack.mode": "dev",
        },
    },
    "NetworkSettings": {
        "Ports": {
            "5432/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "41481"},  # noqa: S104 - what the engine says
                {"HostIp": "::", "HostPort": "41481"},
            ],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}],
            "9229/tcp": None,
        }
    },
}


def changed(**state: Any) -> dict[str, Any]:
    return {**INSPECTED, "State": {**INSPECTED["State"], **state}}


def test_a_container_is_read_from_the_engines_json() -> None:
    found = from_inspect(INSPECTED)

    assert (found.id, found.name) == ("7730462f4cdd7a88", "shop-postgres-1")
    assert (found.project, found.service, found.mode) == ("shop", "postgres", "dev")
    assert (found.folder, found.image) == ("/home/me/shop", "postgres:16-alpine")
    assert (found.state, found.running, found.exit_code, found.error) == ("running", True, 0, "")
    assert (found.health, found.restarts, found.oneoff) == ("healthy", 1, False)
    assert found.started_at == pytest.approx(1795200738.896495)
    assert found.health_log == (
        "localhost:5432 - no response",
        "localhost:5432 - accepting connections",
    )
    assert found.check == HealthCheck(10, 5, 5, 60)


def test_each_published_port_is_there_once_per_address() -> None:
    found = from_inspect(INSPECTED)

    assert found.bindings == (
        Binding(53, 5353, "udp", "127.0.0.1"),
        Binding(5432, 41481, "tcp", "0.0.0.0"),  # noqa: S104 - what the engine says
        Binding(5432, 41481, "tcp", "::"),
    )


def test_the_environment_of_a_container_is_not_kept() -> None:
    assert "canary" not in repr(from_inspect(INSPECTED))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Config": None, "State": None, "NetworkSettings": None},
        {"Config": {"Labels": None}, "State": {"Health": None}, "NetworkSettings": {"Ports": None}},
        {"Config": {"Healthcheck": {}}, "State": {"Health": {"Log": None}}},
    ],
)
def test_what_is_missing_is_empty(document: dict[str, Any]) -> None:
    found = from_inspect(document)

    assert (found.id, found.state, found.health, found.health_log) == ("", "", "", ())
    assert (found.started_at, found.bindings, found.check) == (0.0, (), None)


def test_a_container_that_never_ran_has_no_start() -> None:
    found = from_inspect(changed(Status="created", StartedAt="0001-01-01T00:00:00Z"))

    assert found.started_at == 0
    assert not found.running


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-20T18:52:18Z",
        "2026-11-20T18:52:18.0Z",
        "2026-11-20T18:52:18.000000001Z",
        "2026-11-20T20:52:18.000000001+02:00",
        "2026-11-20T20:52:18+02:00",
    ],
)
def test_every_time_stamp_of_an_engine_is_read(stamp: str) -> None:
    assert from_inspect(changed(StartedAt=stamp)).started_at == pytest.approx(1795200738)


def test_a_time_stamp_nobody_can_read_is_no_crash() -> None:
    assert from_inspect(changed(StartedAt="yesterday")).started_at == 0


@pytest.mark.parametrize(
    ("status", "health"),
    [("starting", "starting"), ("unhealthy", "unhealthy"), ("none", ""), ("new word", "")],
)
def test_only_known_words_of_health_are_kept(status: str, health: str) -> None:
    assert from_inspect(changed(Health={"Status": status})).health == health


def test_a_one_off_container_is_told_apart() -> None:
    labels = {**INSPECTED["Config"]["Labels"], "com.docker.compose.oneoff": "True"}

    assert from_inspect({**INSPECTED, "Config": {"Labels": labels}}).oneoff is True


@pytest.mark.parametrize("document", [None, {}, {"Test": None}, {"Test": []}, {"Test": ["NONE"]}])
def test_an_image_without_a_health_check_has_none(document: dict[str, Any] | None) -> None:
    assert check(document) is None


def test_timing_that_an_image_leaves_out_is_the_engines() -> None:
    assert check({"Test": ["CMD", "true"], "Interval": 0}) == HealthCheck(30, 30, 3, 0)

"""The first hour: Docker is stopped, out of reach, too old, or not there."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {"db": {"image": "postgres:16"}, "web": {"build": "."}}
# `engine: auto` may find another way without Docker; who asks for Docker is told about Docker.
DOCKER = {"INVSTACK_ENGINE": "docker"}
TASKS = ("stack.up", "stack.ps", "db.backup", "image.size")
INSTALL = "(docker-compose-plugin): https://docs.docker.com/compose/install/"


@pytest.mark.parametrize("task", TASKS)
def test_docker_that_is_stopped(stage: Stage, task: str) -> None:
    stage.stack(SERVICES)
    address = f"unix://{stage.bin}/none.sock"
    stage.answer(
        "context inspect",
        f'[{{"Name": "default", "Endpoints": {{"docker": {{"Host": "{address}"}}}}}}]',
    )

    ran = stage.inv(task, **DOCKER)

    assert (ran.code, ran.out) == (6, "")
    assert ran.err == (
        f"error: docker: no engine answers at {address}\n"
        "  hint: start Docker Desktop, or: sudo systemctl start docker\n"
    )


def test_a_variable_that_names_an_engine_that_is_not_there(stage: Stage) -> None:
    stage.stack(SERVICES)
    address = f"unix://{stage.bin}/none.sock"

    ran = stage.inv("stack.up", DOCKER_HOST=address, **DOCKER)

    assert (ran.code, ran.out) == (6, "")
    assert ran.err == (
        f"error: docker: no engine answers at {address}\n"
        "  hint: start Docker Desktop, or: sudo systemctl start docker; DOCKER_HOST names this "
        "engine, for the default one: unset DOCKER_HOST\n"
    )


@pytest.fixture
def closed() -> Iterator[str]:
    """A socket on which somebody listens and that nobody may use."""
    with (
        tempfile.TemporaryDirectory(prefix="is-") as folder,
        contextlib.closing(socket.socket(socket.AF_UNIX)) as listening,
    ):
        path = f"{folder}/e.sock"
        listening.bind(path)
        listening.listen()
        os.chmod(path, 0)  # noqa: PTH101 - a socket
        yield f"unix://{path}"


def test_a_socket_that_this_user_may_not_use(
    stage: Stage, unprivileged: tuple[str, ...], closed: str
) -> None:
    stage.stack(SERVICES)

    for task in ("stack.up", "stack.ps"):
        ran = stage.inv(task, program=unprivileged, DOCKER_HOST=closed, **DOCKER)

        assert (task, ran.code, ran.out) == (task, 6, "")
        assert ran.err == (
            f"error: docker: this user may not talk to the engine at {closed}\n"
            "  hint: sudo usermod -aG docker $USER, then log in again\n"
        )


@pytest.mark.parametrize("old", [True, False])
def test_docker_without_the_compose_plugin(stage: Stage, old: bool) -> None:  # noqa: FBT001
    stage.stack(SERVICES)
    stage.write("compose.yaml", json.dumps({"services": SERVICES}))
    said = "docker: 'compose' is not a docker command.\nSee 'docker --help'\n"
    stage.answer("compose", stderr=said, code=1)
    if old:
        (stage.bin / "docker-compose").write_text("#!/bin/sh\necho docker-compose version 1.29.2\n")
        (stage.bin / "docker-compose").chmod(0o755)

    ran = stage.inv("stack.up", PATH=str(stage.bin), **DOCKER)

    other = "; docker-compose, which is, is another program and cannot stand in for it"
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: docker compose: the Compose plugin is not installed{other if old else ''}\n"
        f"  hint: install Docker Compose 2.24.4 or newer {INSTALL}\n"
    )


def test_a_compose_that_is_too_old(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    stage.answer("compose version", '{"version":"v2.17.3"}')

    ran = stage.inv("stack.up")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: docker compose: version 2.17.3 is too old\n"
        f"  hint: update Docker Compose to 2.24.4 or newer {INSTALL}\n"
    )
    assert stage.calls(" up --detach") == stage.calls(" build") == []
    assert engine.asked == []


@pytest.mark.parametrize("task", TASKS)
def test_no_docker_at_all(stage: Stage, task: str) -> None:
    stage.stack(SERVICES)
    stage.write("compose.yaml", json.dumps({"services": SERVICES}))
    (stage.bin / "docker").unlink()

    ran = stage.inv(task, PATH=str(stage.bin), **DOCKER)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: docker: not installed or not on PATH\n"
        "  hint: install docker (https://docs.docker.com/get-docker/), then run the task again\n"
    )


def test_a_port_that_a_program_of_this_machine_holds(stage: Stage, engine: FakeEngine) -> None:
    with contextlib.closing(socket.socket()) as held:
        held.bind(("", 0))
        held.listen()
        number = held.getsockname()[1]
        stage.stack({"web": {"image": "redis:7", "ports": [f"${{WEB_PORT:-{number}}}:6379"]}})

        ran = stage.inv("stack.up")
        free = stage.inv("stack.up", "--set", "WEB_PORT=0")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: web: port {number} is taken by ")
    assert f"(process {os.getpid()})\n" in ran.err
    assert ran.err.endswith(
        f"  hint: set WEB_PORT to a free port in your env file, or end process {os.getpid()}\n"
    )
    assert len(ran.err.splitlines()) == 2
    assert free.code != 2, free.err

"""An engine that is not this machine's socket: through `DOCKER_HOST` and through a context."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

COMPOSE = """
services:
  cache:
    image: redis:7-alpine
    ports: ["${CACHE_PORT}:6379"]
"""


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy one direction; its end is passed on, because the engine streams both ways."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def relay(near: socket.socket, path: str) -> None:
    with near, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        far.connect(path)
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def serve(listener: socket.socket, path: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=relay, args=(near, path), daemon=True).start()


@pytest.fixture(scope="module")
def address(docker: Callable[..., str]) -> Iterator[str]:
    """The engine of this machine, as if it were another's: behind a TCP port."""
    host = json.loads(docker("context", "inspect"))[0]["Endpoints"]["docker"]["Host"]
    if not host.startswith("unix://"):
        pytest.skip(f"the engine answers at {host}, not at a socket of this machine")
    listener = socket.create_server(("127.0.0.1", 0))
    path = host.removeprefix("unix://")
    threading.Thread(target=serve, args=(listener, path), daemon=True).start()
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture(scope="module")
def by_host(address: str) -> dict[str, str]:
    return {"DOCKER_HOST": address}


@pytest.fixture(scope="module")
def by_context(
    address: str, docker: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("docker-config")
    mine = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if (mine / "cli-plugins").is_dir():
        (folder / "cli-plugins").symlink_to(mine / "cli-plugins")
    config = ("--config", str(folder))
    docker(*config, "context", "create", "elsewhere", "--docker", f"host={address}")
    docker(*config, "context", "use", "elsewhere")
    return {"DOCKER_CONFIG": str(folder)}


@pytest.fixture(params=["by_host", "by_context"])
def elsewhere(request: pytest.FixtureRequest) -> dict[str, str]:
    """What makes the Docker CLI talk to the engine behind the TCP port."""
    environ: dict[str, str] = request.getfixturevalue(request.param)
    return environ


@pytest.fixture
def cache(
    project: Callable[..., Project], port: Callable[[], int], elsewhere: dict[str, str]
) -> Project:
    stack = project(compose=COMPOSE)
    stack.ports["CACHE_PORT"] = port()
    stack.environ |= {"CACHE_PORT": str(stack.ports["CACHE_PORT"]), **elsewhere}
    return stack


def test_every_task_works_on_an_engine_behind_tcp(
    project: Callable[..., Project], elsewhere: dict[str, str]
) -> None:
    stack = project("backend")
    stack.environ |= elsewhere
    result = stack.up()
    url = f"http://127.0.0.1:{stack.ports['BACKEND_PORT']}"
    assert url in result.stdout
    assert stack.get("BACKEND_PORT")[0] == 200
    before = stack.identities()
    stack.up()
    assert stack.identities() == before
    services = stack.inv("stack.ps", "--json").ok().document["services"]
    assert {each["name"]: each["health"] for each in services} == dict.fromkeys(
        ("backend", "db"), "healthy"
    )
    assert "listening on" in stack.inv("stack.logs", "-s", "backend").ok().stdout
    said = stack.inv("stack.exec", "-s", "backend", "--", "printenv", "NODE_ENV").ok()
    assert said.stdout == "production\n"
    stack.inv("db.backup").ok()
    stack.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    assert stack.containers() == {}


def test_the_processes_of_this_machine_are_not_asked_about_another_engines_ports(
    cache: Project,
) -> None:
    with contextlib.closing(socket.create_server(("", cache.ports["CACHE_PORT"]))):
        result = cache.inv("stack.up")
    # Here both are one machine, so it is the engine that finds the port taken.
    assert result.code == 2
    assert f"process {os.getpid()}" not in result.stderr
    assert "address already in use" in result.error
    assert result.hint


def test_the_containers_of_another_engine_are_asked_about_its_ports(
    cache: Project, project: Callable[..., Project]
) -> None:
    other = project(compose=COMPOSE)
    other.environ["CACHE_PORT"] = cache.environ["CACHE_PORT"]
    other.up()
    result = cache.inv("stack.up")
    assert result.code == 2
    assert f"is taken by container {other.name}-cache-1" in result.error
    assert cache.containers() == {}


def test_an_interrupted_exec_on_another_engine_ends_its_program_inside(
    cache: Project,
    begin: Callable[..., object],
    docker: Callable[..., str],
    until: Callable[..., None],
) -> None:
    cache.up()
    container = cache.containers()["cache"].id
    run = begin(cache, "stack.exec", "-s", "cache", "--", "sleep", "300")
    until(lambda: "sleep 300" in docker("top", container), 15, "the program is never started")
    run.signal(2, group=False)
    assert run.end().code == 130
    until(lambda: "sleep 300" not in docker("top", container), 3, "it still runs after 3 s")


def test_a_context_that_does_not_exist_is_named(cache: Project) -> None:
    cache.environ.pop("DOCKER_HOST", None)
    result = cache.inv("stack.ps", environ={"DOCKER_CONTEXT": "nowhere"})
    assert result.code == 6
    assert "nowhere" in result.error
    assert "docker context ls" in result.hint


def test_an_engine_behind_tcp_that_is_gone_is_named_with_its_address(cache: Project) -> None:
    gone = "tcp://127.0.0.1:1"
    result = cache.inv("stack.up", environ={"DOCKER_HOST": gone, "INVSTACK_ENGINE": "docker"})
    assert result.code == 6
    assert result.error == f"docker: no engine answers at {gone}"
    assert gone in result.hint

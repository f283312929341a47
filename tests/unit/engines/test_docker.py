from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests

from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines.containers import Volume
from invoke_stack.engines.docker import Docker, connect, unreachable
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.errors import ExitCode, StackError, UnreachableError, UsageError
from invoke_stack.project import Project

LOCAL = Endpoint("unix:///var/run/docker.sock", "default")
REMOTE = Endpoint("tcp://box:2376", "build-box")
MakeProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Close what the SDK leaves open when a client cannot be made, before others are blamed."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


class FakeApi:
    """The few calls of the SDK's client that are used, answered from plain data."""

    def __init__(self, **data: Any) -> None:
        self.api_version = data.get("version", "1.45")
        self.data = data
        self.asked: list[Any] = []

    def containers(self, **query: Any) -> list[dict[str, Any]]:
        self.asked.append(query)
        return self.data.get("containers", [])

    def inspect_container(self, name: str) -> dict[str, Any]:
        found = self.data.get("inspected", {}).get(name)
        if found is None:
            raise docker.errors.NotFound("No such container")
        return found

    def inspect_image(self, name: str) -> dict[str, Any]:
        found = self.data.get("images", {}).get(name)
        if found is None:
            raise docker.errors.ImageNotFound("No such image")
        return found

    def volumes(self, **query: Any) -> dict[str, Any]:
        self.asked.append(query)
        return {"Volumes": self.data.get("volumes")}

    def df(self) -> dict[str, Any]:
        return {"Volumes": self.data.get("used")}

    def info(self) -> dict[str, Any]:
        return self.data.get("info", {})

    def logs(self, name: str, **query: Any) -> bytes:
        self.asked.append((name, query))
        return self.data.get("logs", b"")


def inspected(name: str, service: str = "web", *, oneoff: bool = False) -> dict[str, Any]:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": service,
        "com.docker.compose.oneoff": str(oneoff),
    }
    return {"Id": name, "Name": f"/{name}", "Config": {"Labels": labels}}


def engine(where: Endpoint = LOCAL, **data: Any) -> Docker:
    return Docker(where, FakeApi(**data))


@pytest.mark.parametrize(
    ("version", "early"), [("1.41", False), ("1.43", False), ("1.44", True), ("1.100", True)]
)
def test_engines_probe_early_from_their_api_1_44_on(version: str, early: bool) -> None:  # noqa: FBT001
    assert engine(version=version).probes_early is early


def test_the_containers_of_a_project_come_sorted_by_service_without_one_off_ones() -> None:
    found = engine(
        containers=[{"Id": "b"}, {"Id": "a"}, {"Id": "x"}],
        inspected={
            "a": inspected("a", "db"),
            "b": inspected("b", "web"),
            "x": inspected("x", "web", oneoff=True),
        },
    )

    assert [each.id for each in found.containers("shop")] == ["a", "b"]
    assert [each.id for each in found.containers("shop", oneoff=True)] == ["a", "b", "x"]


def test_stopped_containers_of_this_project_alone_are_asked_for() -> None:
    found = engine()

    found.containers("shop")

    assert found._api.asked == [  # noqa: SLF001 - the fake
        {"all": True, "filters": {"label": "com.docker.compose.project=shop"}}
    ]


def test_a_container_that_goes_between_two_calls_is_left_out() -> None:
    found = engine(containers=[{"Id": "gone"}, {"Id": "a"}], inspected={"a": inspected("a")})

    assert [each.id for each in found.containers("shop")] == ["a"]


def test_only_containers_that_publish_a_port_are_publishers() -> None:
    found = engine(
        containers=[
            {"Id": "a", "Ports": [{"PrivatePort": 80, "PublicPort": 8080}]},
            {"Id": "b", "Ports": [{"PrivatePort": 80}]},
            {"Id": "c", "Ports": []},
            {"Id": "d", "Ports": None},
            {"Id": "e"},
        ],
        inspected={name: inspected(name) for name in "abcde"},
    )

    assert [each.id for each in found.publishers()] == ["a"]


def test_an_image_tells_its_health_check_and_identity() -> None:
    found = engine(
        images={
            "web": {"Id": "sha256:1", "Config": {"Healthcheck": {"Test": ["CMD", "true"]}}},
            "plain": {"Id": "sha256:2", "Config": None},
        }
    )

    assert found.image_check("web") == HealthCheck()
    assert found.image_check("plain") is None
    assert found.image_check("missing") is None
    assert found.image_id("web") == "sha256:1"
    assert found.image_id("missing") == ""


def test_logs_of_any_bytes_are_text() -> None:
    assert engine(logs=b"one\n\xff two\n\n").logs("a", 15) == "one\n\ufffd two"


def test_the_environment_of_a_container_keeps_equals_signs_in_values() -> None:
    document = {"Config": {"Env": ["A=1", "B=x=y", "C="]}}

    assert engine(inspected={"a": document}).environment("a") == {"A": "1", "B": "x=y", "C": ""}


def test_the_command_line_of_a_container_is_its_program_and_its_arguments() -> None:
    document = {"Path": "redis-server", "Args": ["--requirepass", "x"]}

    assert engine(inspected={"a": document}).command("a") == ("redis-server", "--requirepass", "x")


def test_volumes_come_with_their_size_where_the_engine_knows_it() -> None:
    found = engine(
        volumes=[{"Name": "shop_pg"}, {"Name": "shop_cache"}, {"Name": "shop_new"}],
        used=[
            {"Name": "shop_pg", "UsageData": {"Size": 2048}},
            {"Name": "shop_cache", "UsageData": None},
            {"Name": "other", "UsageData": {"Size": 1}},
        ],
    )

    assert found.volumes("shop") == (
        Volume("shop_cache", -1),
        Volume("shop_new", -1),
        Volume("shop_pg", 2048),
    )


def test_a_project_without_volumes_asks_for_no_sizes() -> None:
    assert engine(volumes=None).volumes("shop") == ()


def test_only_a_local_engines_data_folder_is_looked_at(tmp_path: Path) -> None:
    info = {"DockerRootDir": str(tmp_path)}

    assert engine(info=info).data_folder() == tmp_path
    assert engine(REMOTE, info=info).data_folder() is None
    assert engine(info={"DockerRootDir": str(tmp_path / "in-a-vm")}).data_folder() is None
    assert engine(info={}).data_folder() is None


def test_no_engine_at_a_local_socket_says_how_to_start_one() -> None:
    problem = unreachable(LOCAL, "FileNotFoundError(2, 'No such file or directory')")

    assert str(problem) == "docker: no engine answers at unix:///var/run/docker.sock"
    assert problem.hint == "start Docker Desktop, or: sudo systemctl start docker"
    assert problem.code == ExitCode.UNREACHABLE


def test_no_engine_at_a_remote_address_says_how_to_choose_another() -> None:
    assert unreachable(REMOTE, "timed out").hint == (
        "check that tcp://box:2376 is up, or choose another engine: docker context use default"
    )


def test_missing_rights_say_how_to_get_them() -> None:
    problem = unreachable(LOCAL, "PermissionError(13, 'Permission denied')")

    assert str(problem) == (
        "docker: this user may not talk to the engine at unix:///var/run/docker.sock"
    )
    assert "usermod -aG docker" in problem.hint


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[str]:
    """Return the address of an engine that accepts and never answers."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("needs unix sockets")
    path = tmp_path / "e.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen()
        taken: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"unix://{path}"
        for each in taken:
            each.close()


def refusal(project: Project) -> str:
    """Return what opening the engine ends with, within a second."""
    try:
        with connect(project, timeout_s=1):
            return "it answered"
    except UnreachableError as problem:
        return str(problem)


def test_an_engine_that_accepts_and_never_answers_is_an_error_in_bounded_time(
    hung: str, make_project: MakeProject
) -> None:
    begin = time.monotonic()

    said = refusal(make_project(environ={"DOCKER_HOST": hung}))

    assert said == f"docker: no engine answers at {hung}"
    assert time.monotonic() - begin < 5


def test_an_address_where_nobody_listens_is_an_error(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project(environ={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})

    with (
        pytest.raises(UnreachableError, match=r"no engine answers at unix:.*none\.sock"),
        connect(project),
    ):
        pass


def test_an_address_that_is_none_is_an_error(make_project: MakeProject) -> None:
    project = make_project(environ={"DOCKER_HOST": "carrier-pigeon://here"})

    with pytest.raises(UnreachableError), connect(project):
        pass


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (requests.ConnectionError("aborted"), UnreachableError),
        (requests.ReadTimeout("slow"), UnreachableError),
        (docker.errors.DockerException("odd"), UnreachableError),
        (docker.errors.APIError("500", explanation="out of space"), StackError),
    ],
)
def test_what_the_engine_does_later_is_an_error_of_ours(
    api: Callable[..., str], make_project: MakeProject, raised: Exception, kind: type[StackError]
) -> None:
    project = make_project(environ={"DOCKER_HOST": api()})

    with pytest.raises(kind) as caught, connect(project):
        raise raised

    assert type(caught.value) is kind


def test_an_engine_says_which_api_both_sides_speak(
    api: Callable[..., str], make_project: MakeProject
) -> None:
    with connect(make_project(environ={"DOCKER_HOST": api(version="1.41")})) as found:
        assert found.api_version == (1, 41)
        assert not found.probes_early


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return the address of an engine that says its version and nothing else."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("needs unix sockets")
    with contextlib.ExitStack() as stack:

        def serve(version: str = "1.45") -> str:
            path = tmp_path / "v.sock"
            server = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
            server.bind(str(path))
            server.listen()
            body = f'{{"ApiVersion": "{version}", "MinAPIVersion": "1.24"}}'
            answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

            def accept() -> None:
                with contextlib.suppress(OSError):
                    taken = server.accept()[0]
                    with taken:
                        taken.recv(65536)
                        taken.sendall(answer)

            threading.Thread(target=accept, daemon=True).start()
            return f"unix://{path}"

        yield serve


def test_an_image_name_that_the_engine_cannot_read_is_a_usage_error() -> None:
    class Refusing(FakeApi):
        def inspect_image(self, name: str) -> dict[str, Any]:
            response = requests.Response()
            response.status_code = 400
            said = "invalid reference format: repository name must be lowercase"
            raise docker.errors.APIError(name, response, said)

    with pytest.raises(UsageError) as caught:
        Docker(LOCAL, Refusing()).image_id("UPPER")

    assert str(caught.value) == "image UPPER: repository name must be lowercase"
    assert "correct `image:`" in caught.value.hint

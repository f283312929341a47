from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from invoke_stack import events
from invoke_stack.engines.choice import Choice, answers, chosen, embedded_before, tell
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.errors import ExitCode, RefusedError
from invoke_stack.project import Project
from invoke_stack.stack import state

MakeProject = Callable[..., Project]

if os.name != "posix":
    pytest.skip("unix sockets and programs of POSIX", allow_module_level=True)


@pytest.fixture
def listening() -> Iterator[str]:
    """Return the address of a socket that something listens on, as an engine does."""
    # Not in tmp_path: a socket's name has to be short.
    with (
        tempfile.TemporaryDirectory(prefix="is-") as folder,
        socket.socket(socket.AF_UNIX) as server,
    ):
        server.bind(f"{folder}/e.sock")
        server.listen()
        yield f"unix://{folder}/e.sock"


@pytest.fixture
def docker(tmp_path: Path) -> str:
    """Return a PATH with a `docker` program on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").touch(mode=0o755)
    return str(folder)


def last_ran(project: Project, engine: str | None, *, data: bool = False) -> None:
    record = {"schema": 1, "project": "shop", "mode": "dev"} | (
        {"engine": engine} if engine else {}
    )
    (project.state / "stack.json").write_text(json.dumps(record))
    if data:
        (project.state / "embedded" / "db" / "data").mkdir(parents=True)


@pytest.mark.parametrize("name", ["docker", "embedded"])
def test_a_setting_decides_and_nothing_is_asked(
    make_project: MakeProject, runner: Any, name: str
) -> None:
    project = make_project({"engine": name})
    last_ran(project, "embedded" if name == "docker" else "docker", data=True)

    assert chosen(project) == Choice(name, f"setting engine: {name}")  # type: ignore[arg-type]
    assert runner.ran == []


def test_docker_is_taken_where_it_answers(
    make_project: MakeProject, docker: str, listening: str
) -> None:
    found = chosen(make_project(environ={"PATH": docker, "DOCKER_HOST": listening}))

    assert (found.name, found.said) == ("docker", False)
    assert found.where == Endpoint(listening)


def test_what_was_looked_up_once_is_not_looked_up_again(
    make_project: MakeProject, runner: Any, docker: str, listening: str
) -> None:
    runner.answer("context inspect", json.dumps([{"Endpoints": {"docker": {"Host": listening}}}]))

    assert chosen(make_project(environ={"PATH": docker})).where == Endpoint(listening)
    assert len(runner.ran) == 1


def test_without_a_docker_program_the_stack_runs_embedded_and_that_is_told(
    make_project: MakeProject, tmp_path: Path
) -> None:
    found = chosen(make_project(environ={"PATH": str(tmp_path)}))
    told: list[events.Event] = []
    tell(found, told.append)

    assert found.name == "embedded"
    assert told == [
        events.Note(
            "engine: embedded, on this machine without Docker: docker is not on PATH",
        )
    ]


def test_without_an_engine_the_stack_runs_embedded_and_that_is_told(
    make_project: MakeProject, docker: str, tmp_path: Path
) -> None:
    address = f"unix://{tmp_path}/none.sock"
    found = chosen(make_project(environ={"PATH": docker, "DOCKER_HOST": address}))

    assert (found.name, found.said) == ("embedded", True)
    assert found.why.endswith(f"no engine answers at {address}")


@pytest.mark.parametrize("engine", ["docker", None])
def test_a_stack_that_ran_on_docker_does_not_go_on_with_an_empty_database(
    make_project: MakeProject, docker: str, tmp_path: Path, engine: str | None
) -> None:
    address = f"unix://{tmp_path}/none.sock"
    project = make_project(environ={"PATH": docker, "DOCKER_HOST": address})
    last_ran(project, engine)

    with pytest.raises(RefusedError) as caught:
        chosen(project)

    assert caught.value.code == ExitCode.REFUSED
    assert str(caught.value) == (
        f"docker: this stack last ran on Docker, and no engine answers at {address}"
    )
    assert "start Docker" in caught.value.hint
    assert caught.value.hint.endswith(": INVSTACK_ENGINE=embedded inv stack.up")


def test_the_way_out_keeps_the_mode(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(environ={"PATH": str(tmp_path)}, mode="test")
    last_ran(project, "docker")

    with pytest.raises(RefusedError) as caught:
        chosen(project)

    assert caught.value.hint.endswith(": INVSTACK_ENGINE=embedded inv stack.up --test")


def test_a_stack_whose_data_was_removed_may_go_on_anywhere(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project(environ={"PATH": str(tmp_path)})
    last_ran(project, "docker")
    state.emptied(project)

    assert chosen(project).name == "embedded"


def test_nor_does_it_where_docker_is_gone(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(environ={"PATH": str(tmp_path)})
    last_ran(project, "docker")

    with pytest.raises(RefusedError, match="docker is not on PATH"):
        chosen(project)


def test_a_stack_that_ran_on_docker_goes_on_there(
    make_project: MakeProject, docker: str, listening: str
) -> None:
    project = make_project(environ={"PATH": docker, "DOCKER_HOST": listening})
    last_ran(project, "docker")

    assert chosen(project).name == "docker"


def test_embedded_data_is_not_left_behind_when_docker_answers_one_day(
    make_project: MakeProject, docker: str, listening: str
) -> None:
    project = make_project(environ={"PATH": docker, "DOCKER_HOST": listening})
    last_ran(project, "embedded", data=True)

    found = chosen(project)

    assert (found.name, found.said) == ("embedded", True)
    assert (
        "where this stack's data is; to leave it: INVSTACK_ENGINE=docker inv stack.up" in found.why
    )


@pytest.mark.parametrize(
    ("setting", "record", "data", "expected"),
    [
        ("auto", "embedded", True, True),
        ("auto", "embedded", False, False),
        ("auto", "docker", False, False),
        ("docker", "embedded", True, False),
        ("embedded", "docker", False, True),
    ],
)
def test_what_only_wants_to_mention_it_asks_nothing(
    make_project: MakeProject, runner: Any, *, setting: str, record: str, data: bool, expected: bool
) -> None:
    project = make_project({"engine": setting})
    last_ran(project, record, data=data)

    assert embedded_before(project) is expected
    assert runner.ran == []


@pytest.mark.parametrize("text", ["", "{broken", "[]"])
def test_data_that_is_here_counts_where_the_record_is_lost(
    make_project: MakeProject, docker: str, listening: str, text: str
) -> None:
    project = make_project(environ={"PATH": docker, "DOCKER_HOST": listening})
    last_ran(project, "embedded", data=True)
    (project.state / "stack.json").write_text(text)

    assert chosen(project).name == "embedded"


def test_without_data_docker_is_taken_again(
    make_project: MakeProject, docker: str, listening: str
) -> None:
    project = make_project(environ={"PATH": docker, "DOCKER_HOST": listening})
    last_ran(project, "embedded")

    assert chosen(project).name == "docker"


@pytest.mark.parametrize(
    "url", ["ssh://me@box", "tcp://192.0.2.7:2376", "carrier-pigeon://here", "tcp://localhost:x"]
)
def test_an_engine_elsewhere_is_meant_and_not_tried(url: str) -> None:
    assert answers(Endpoint(url))


def test_an_engine_on_a_port_of_this_machine_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert answers(Endpoint(url))

    assert not answers(Endpoint(url))


def test_a_socket_that_does_not_let_us_in_is_left_to_whoever_opens_the_engine() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="is-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        other.bind(f"{folder}/e.sock")

        assert answers(Endpoint(f"unix://{folder}/e.sock"))


def test_a_socket_that_nobody_listens_on_is_no_engine() -> None:
    with tempfile.TemporaryDirectory(prefix="is-") as folder:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{folder}/e.sock")

        assert not answers(Endpoint(f"unix://{folder}/e.sock"))

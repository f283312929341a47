from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import compose

if TYPE_CHECKING:
    from conftest import Examine, FakeRunner


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which there is a `docker` to be found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text("#!/bin/sh\n")
    (folder / "docker").chmod(0o755)
    return {"PATH": str(folder)}


def test_a_new_enough_compose_passes(
    examine: Examine, runner: FakeRunner, programs: dict[str, str]
) -> None:
    runner.answer("compose version", '{"version":"2.26.1"}')

    (found,) = compose.compose(examine(environ=programs))

    assert (found.state, found.message) == ("ok", "Compose 2.26.1 (needs 2.24.4)")


def test_an_old_compose_is_an_error(
    examine: Examine, runner: FakeRunner, programs: dict[str, str]
) -> None:
    runner.answer("compose version", '{"version":"2.20.0"}')

    (found,) = compose.compose(examine(environ=programs))

    assert (found.state, found.message) == ("error", "version 2.20.0 is too old")
    assert found.fix.startswith("update Docker Compose to 2.24.4 or newer")


def test_without_docker_only_the_engine_is_told(examine: Examine) -> None:
    patient = examine()

    assert not list(compose.compose(patient))
    assert not list(compose.buildx(patient))


@pytest.mark.parametrize(
    ("said", "code", "state"),
    [("github.com/docker/buildx v0.13.1 abc", 0, "ok"), ("docker: 'buildx' is not", 1, "warning")],
)
def test_buildx_is_wanted(
    examine: Examine, runner: FakeRunner, programs: dict[str, str], said: str, code: int, state: str
) -> None:
    runner.answer("buildx version", said, code=code)

    (found,) = compose.buildx(examine(environ=programs))

    assert found.state == state


def test_outside_a_project_the_compose_file_is_missed(examine: Examine) -> None:
    (found,) = compose.stack(examine())

    assert (found.state, found.message) == ("warning", "no compose file here")
    assert "compose.yaml" in found.fix


def test_the_stack_is_told_with_its_services(
    examine: Examine, runner: FakeRunner, programs: dict[str, str]
) -> None:
    runner.answer("config", '{"name":"shop","services":{"web":{"image":"web"},"db":{"image":"b"}}}')

    (found,) = compose.stack(examine({"compose.yaml": "services: {}\n"}, environ=programs))

    assert (found.state, found.subject) == ("ok", "compose.yaml")
    assert found.message == "mode dev, services: db, web"


def test_what_compose_refuses_is_an_error(
    examine: Examine, runner: FakeRunner, programs: dict[str, str]
) -> None:
    runner.answer("config", stderr="services.web must be a mapping", code=1)

    (found,) = compose.stack(examine({"compose.yaml": "services: {}\n"}, environ=programs))

    assert (found.state, found.message) == ("error", "services.web must be a mapping")


def test_a_required_variable_and_a_doubled_port_are_told(
    examine: Examine, runner: FakeRunner, programs: dict[str, str]
) -> None:
    runner.answer(
        "config",
        '{"name":"shop","services":{"web":{"image":"${TAG:?}","ports":["3000:3000","3001:3000"]}}}',
    )
    files = {"compose.yaml": "services:\n  web:\n    image: ${TAG:?}\n", "compose.dev.yaml": "{}"}

    first, *rest = compose.stack(examine(files, environ=programs))

    assert first.state == "ok"
    assert [(each.state, each.subject) for each in rest] == [
        ("error", "compose.yaml:3"),
        ("warning", "web"),
    ]
    assert rest[1].fix == 'write in compose.dev.yaml: ports: !override ["3001:3000"]'

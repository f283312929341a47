"""What tasks say when the engine is not what they hoped for."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {
    "web": {"build": ".", "healthcheck": {"test": ["CMD", "true"], "interval": "1s", "retries": 1}}
}


def test_the_endpoint_of_the_context_is_used(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    address = stage.environ.pop("DOCKER_HOST")
    stage.answer(
        "context inspect",
        f'[{{"Name": "lab", "Endpoints": {{"docker": {{"Host": "{address}"}}}}}}]',
    )
    engine.container("web", folder=str(stage.root))

    ran = stage.inv("stack.ps", "--json")

    assert [each["name"] for each in ran.document()["services"]] == ["web"]
    assert "version" in engine.asked


def test_a_context_that_does_not_exist_is_exit_6(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.answer("context inspect", stderr='context "lab": context not found\n', code=1)

    ran = stage.inv("stack.ps", DOCKER_CONTEXT="lab")

    assert ran.code == 6
    assert ran.err.startswith('error: docker context: context "lab": context not found\n')


def test_an_old_engine_starts_the_stack_and_says_what_it_cannot_do(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack(SERVICES)
    engine.version = "1.41"
    engine.container("web", folder=str(stage.root), health="healthy")

    ran = stage.inv("stack.up")

    assert ran.code == 0, ran.err
    assert "this engine cannot probe faster while services start" in ran.err
    assert "start_interval" not in (stage.root / ".invoke-stack" / "override.yml").read_text()


def test_a_new_engine_probes_faster(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), health="healthy")

    ran = stage.inv("stack.up")

    assert ran.code == 0, ran.err
    assert "start_interval: 500ms" in (stage.root / ".invoke-stack" / "override.yml").read_text()


@pytest.mark.parametrize("answers", range(1, 4))
def test_an_engine_that_vanishes_half_way_is_exit_6(
    stage: Stage, engine: FakeEngine, answers: int
) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), health="healthy")
    engine.answers = answers

    ran = stage.inv("stack.up")

    assert ran.code == 6
    assert re.match(r"error: docker: no engine answers at unix:.*\n  hint: start ", ran.err)


def test_a_service_that_exits_ends_up_at_once(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    stage.answer(" up --detach", sleep_s=25)
    engine.container("web", folder=str(stage.root))
    # The first look is the one before anything is started.
    first = engine.containers
    engine.containers = []
    engine.gone = lambda: None if engine.containers else appear()

    def appear() -> None:
        if stage.calls(" up --detach"):
            first[0]["State"] |= {"Status": "exited", "ExitCode": 3}
            engine.containers = first

    began = time.monotonic()
    ran = stage.inv("stack.up")

    assert ran.code == 1
    assert "error: web: exited with code 3\n" in ran.err
    assert "inv stack.logs -s web" in ran.err
    assert time.monotonic() - began < 15


def test_a_service_that_never_becomes_healthy_is_exit_6(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), health="starting")

    ran = stage.inv("stack.up")

    assert ran.code == 6
    assert "error: web: its health check did not pass in 1 s\n" in ran.err


def test_a_port_that_another_stack_holds_is_named_with_the_variable(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack({"web": {"build": ".", "ports": ["${WEB_PORT:-3001}:3000"]}})
    other = engine.container("web", ports={80: 3001}, folder="/home/me/blog")
    other["Name"] = "/blog-web-1"
    other["Config"]["Labels"]["com.docker.compose.project"] = "blog"
    # The fake does not filter by project; nothing of ours is there.
    other["Config"]["Labels"]["com.docker.compose.project.working_dir"] = str(stage.root)

    ran = stage.inv("stack.up")

    assert ran.code == 2
    assert "error: web: port 3001 is taken by container blog-web-1 of the Compose project blog" in (
        ran.err
    )
    assert "set WEB_PORT to a free port in your env file" in ran.err


def test_missing_variables_are_told_at_once_before_anything_is_asked(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack(SERVICES)
    stage.write(
        "compose.yaml",
        "services:\n  web:\n    environment:\n      A: ${A:?ask the team}\n      B: ${B:?}\n",
    )

    ran = stage.inv("stack.up")

    assert ran.code == 2
    assert "2 required variables are not set" in ran.err
    assert "compose.yaml:4: A: ask the team" in ran.err
    assert "compose.yaml:5: B" in ran.err
    assert engine.asked == []

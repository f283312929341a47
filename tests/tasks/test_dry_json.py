"""`--dry` and `--json` together: the plan is the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {
    "web": {"build": "."},
    "db": {"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "canary-4711"}},
}


@pytest.fixture
def running(stage: Stage, engine: FakeEngine) -> Stage:
    """A stack that runs, and a backup of its database."""
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root))
    engine.container("db", folder=str(stage.root), image="postgres:16", health="healthy")
    return stage


def test_up_prints_its_plan_as_one_document(running: Stage) -> None:
    before = running.snapshot()

    ran = running.inv("--dry", "stack.up", "--json", "--set", "TOKEN=canary-4712")

    found = ran.document()
    assert (ran.code, found["dry"]) == (0, True)
    assert found["plan"][0].startswith("write .invoke-stack/override.yml")
    assert any(each.startswith("$ docker compose ") and " up " in each for each in found["plan"])
    assert "canary" not in ran.out + ran.err
    assert running.snapshot() == before


def test_a_task_with_a_document_of_its_own_prints_that_one_alone(running: Stage) -> None:
    assert running.inv("--dry", "stack.down", "--json").document()["project"] == "shop"


def test_without_json_nothing_is_on_stdout(running: Stage) -> None:
    ran = running.inv("--dry", "stack.up")

    assert (ran.code, ran.out) == (0, "")


def test_an_error_prints_no_document(running: Stage) -> None:
    ran = running.inv("--dry", "stack.up", "--json", "-s", "nope")

    assert (ran.code, ran.out) == (2, "")

"""`-s SERVICE` on the tasks that look at what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {
    "web": {"build": "."},
    "db": {"image": "postgres:16"},
    "late": {"image": "late"},
}


@pytest.fixture
def running(stage: Stage, engine: FakeEngine) -> Stage:
    """Two services that run, one that does not."""
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), ports={3000: 3001})
    engine.container("db", folder=str(stage.root), ports={5432: 5433}, image="postgres:16")
    return stage


def test_ps_and_urls_show_only_the_chosen_services(running: Stage) -> None:
    for words, names in (((), ["db", "web"]), (("-s", "web"), ["web"]), (("-s", "late"), [])):
        services = running.inv("stack.ps", "--json", *words).document()["services"]
        urls = running.inv("stack.urls", "--json", *words).document()["urls"]

        assert [each["name"] for each in services] == names
        assert [each["service"] for each in urls] == names


def test_a_chosen_service_that_is_not_up_is_said(running: Stage) -> None:
    ran = running.inv("stack.ps", "-s", "late")

    assert (ran.code, ran.out, ran.err) == (0, "", "shop: late is not up\n")


def test_stats_measures_only_the_chosen_services(running: Stage) -> None:
    line = {"ID": "web-id", "CPUPerc": "1.5%", "MemUsage": "1MiB / 2GiB"}
    running.answer("stats --no-stream", json.dumps(line))

    found = running.inv("stack.stats", "-s", "web", "--json").document()["services"]
    late = running.inv("stack.stats", "-s", "late")

    assert [each["service"] for each in found] == ["web"]
    assert running.calls("stats --no-stream")[0]["argv"][-1:] == ["web-id"]
    assert "db-id" not in running.calls("stats --no-stream")[0]["argv"]
    assert (late.code, late.err) == (
        6,
        "error: late: is not running\n  hint: inv stack.up -s late\n",
    )


@pytest.mark.parametrize("task", ["stack.ps", "stack.urls", "stack.stats"])
def test_a_service_that_does_not_exist_is_an_error(running: Stage, task: str) -> None:
    ran = running.inv(task, "-s", "wbe")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: shop: no such service: wbe\n  hint: did you mean web? services: db, late, web\n"
    )

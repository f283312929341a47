"""One project in several modes: which services run, with which values, and what switching costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

SERVICES = {
    "dev": {"postgres", "redis", "web-dev", "pgadmin", "redis-commander"},
    "staging": {"postgres", "redis", "web-prod"},
    "prod": {"postgres", "redis", "web-prod"},
}
SITE = {"dev": "profiles-development", "staging": "profiles-production"}
NODE = {"dev": "development", "staging": "production", "prod": "production"}


@pytest.fixture(scope="module")
def profiles(shared_project: Callable[..., Project]) -> Project:
    return shared_project("profiles")


@pytest.mark.parametrize("mode", ["dev", "staging", "prod"])
def test_each_mode_of_one_file_runs_its_own_services_and_values(
    profiles: Project, mode: str
) -> None:
    profiles.up(f"--{mode}")
    running = {name for name, each in profiles.containers().items() if each.state == "running"}
    assert running == SERVICES[mode]
    assert profiles.get("WEB_PORT")[1]["status"] == "ok"
    site = SITE.get(mode, "profiles-production")
    assert profiles.get("WEB_PORT", "/")[1] == {"mode": NODE[mode], "site": site}
    assert profiles.inv("stack.ps", "--json").ok().document["mode"] == mode


def test_staging_and_prod_read_the_env_file_that_their_service_names(profiles: Project) -> None:
    profiles.up("--staging")
    values = profiles.inv("env.show", "--staging", "--service", "web-prod", "--json").document
    assert values["values"]["NEXTAUTH_SECRET"]["file"] == ".env.production"


def test_switching_recreates_only_what_differs_and_keeps_the_volumes(
    project: Callable[..., Project],
) -> None:
    hybrid = project("hybrid")
    hybrid.up("--dev")
    before, volumes = hybrid.identities(), set(hybrid.listed("volume", "ls"))

    result = hybrid.up("--prod")
    after = hybrid.identities()
    assert "switching from dev to prod" in result.stderr
    assert "pgadmin" in result.stderr
    assert set(after) == {"postgres", "redis", "web"}
    assert after["web"] != before["web"]
    assert (after["postgres"], after["redis"]) == (before["postgres"], before["redis"])
    assert set(hybrid.listed("volume", "ls")) == volumes
    assert hybrid.inv("stack.ps", "--json").document["mode"] == "prod"

    hybrid.up("--dev")
    back = hybrid.identities()
    assert set(back) == set(before)
    assert (back["postgres"], back["redis"]) == (before["postgres"], before["redis"])
    assert hybrid.get("WEB_PORT", "/")[1]["mode"] == "development"


def test_tasks_on_a_running_stack_need_no_mode_flag(profiles: Project) -> None:
    profiles.up("--staging")
    assert profiles.inv("stack.exec", "-s", "web-prod", "--", "printenv", "NODE_ENV").stdout == (
        "production\n"
    )
    urls = profiles.inv("stack.urls").ok().stdout
    assert f"http://localhost:{profiles.ports['WEB_PORT']}" in urls
    profiles.inv("stack.restart", "-s", "web-prod").ok()
    result = profiles.inv("stack.logs", "-s", "web-prod").ok()
    assert "listening on" in result.stdout


def test_a_task_without_a_flag_keeps_to_the_running_mode_after_up_in_another(
    profiles: Project,
) -> None:
    profiles.up("--prod")
    assert profiles.inv("stack.ps", "--json").document["mode"] == "prod"
    profiles.inv("stack.stop").ok()
    profiles.inv("stack.start").ok()
    states = {name: each.state for name, each in profiles.containers().items()}
    assert states == dict.fromkeys(SERVICES["prod"], "running")

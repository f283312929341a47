from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines.containers import Container
from invoke_stack.stack.readiness import Verdict, judge

Make = Callable[..., Container]
CHECK = HealthCheck(interval_s=10, timeout_s=5, retries=3, start_period_s=20)  # 50 s


def test_a_service_without_a_container_is_waited_for() -> None:
    assert judge(None, 0, None) == Verdict("waiting")


def test_a_created_container_is_waited_for_and_says_why_it_did_not_start(
    make_container: Make,
) -> None:
    found = make_container(state="created", error="port is already allocated")

    assert judge(found, 0, None) == Verdict("waiting", reason="port is already allocated")


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_an_end_with_code_zero_is_success(make_container: Make, state: str) -> None:
    assert judge(make_container(state=state), 3, CHECK) == Verdict("done", ready=True)


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_an_end_with_another_code_is_failure(make_container: Make, state: str) -> None:
    found = make_container(state=state, exit_code=137, health="unhealthy")

    assert judge(found, 3, CHECK) == Verdict("failed", reason="exited with code 137")


@pytest.mark.parametrize("state", ["restarting", "paused", "removing"])
def test_a_container_between_two_states_is_waited_for(make_container: Make, state: str) -> None:
    assert judge(make_container(state=state, exit_code=1), 3, None) == Verdict("starting")


@pytest.mark.parametrize("state", ["restarting", "running", "exited"])
def test_a_container_that_the_engine_restarts_again_and_again_fails(
    make_container: Make, state: str
) -> None:
    found = make_container(state=state, restarts=2, exit_code=1)

    assert judge(found, 3, None) == Verdict(
        "failed", reason="exits with code 1 and was restarted 2 times"
    )


def test_one_restart_may_be_a_wait_for_a_peer(make_container: Make) -> None:
    assert judge(make_container(state="restarting", restarts=1), 3, None).kind == "starting"


def test_a_container_that_became_healthy_in_the_end_is_ready(make_container: Make) -> None:
    found = make_container(health="healthy", restarts=5)

    assert judge(found, 3, CHECK) == Verdict("healthy", ready=True)


def test_a_service_without_a_check_has_to_stay_up_for_a_moment(make_container: Make) -> None:
    assert judge(make_container(), 0.9, None) == Verdict("running", ready=False)
    assert judge(make_container(), 1.0, None) == Verdict("running", ready=True)


def test_the_engines_word_that_it_is_unhealthy_ends_the_wait(make_container: Make) -> None:
    found = make_container(health="unhealthy")

    assert judge(found, 1, CHECK) == Verdict("unhealthy", reason="its health check fails")


def test_the_declared_deadline_counts_and_not_the_containers_own(make_container: Make) -> None:
    found = make_container(health="starting", check=HealthCheck(start_period_s=60))

    assert judge(found, 50, CHECK) == Verdict("starting")
    assert judge(found, 50.1, CHECK) == Verdict(
        "unhealthy", reason="its health check did not pass in 50 s"
    )


def test_without_a_declared_check_the_engine_decides(make_container: Make) -> None:
    assert judge(make_container(health="starting"), 10_000, None) == Verdict("starting")

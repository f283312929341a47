import dataclasses
import time
from typing import Any

import pytest

from invoke_stack.database import wait
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.events import Progress, Step


def test_an_answer_ends_the_wait(project: Any, declared: Any, engine: Any, docker: Any) -> None:
    docker.answer("psql", b"1\n")
    events: list[Any] = []

    ready = wait.wait(project, declared, engine, 5, events.append)

    assert (ready.service, ready.database) == ("pg", "shop")
    assert events == [Step("waiting for pg")]
    assert "--host=127.0.0.1" in docker.asked[0]


def test_a_wrong_password_is_not_waited_for(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    docker.answer("psql", code=2, err="FATAL: password authentication failed for canary-pw")
    began = time.monotonic()

    with pytest.raises(UnreachableError, match="does not let user app in") as caught:
        wait.wait(project, declared, engine, 60)

    assert time.monotonic() - began < 5
    assert "canary-pw" not in "".join(caught.value.detail)
    assert "the volume keeps the user and password it was made with" in caught.value.hint


def test_what_it_waits_for_is_shown_and_told_in_the_end(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    docker.answer("psql", code=2, err="connection to server failed: refused\n\tIs it running?")
    events: list[Any] = []

    with pytest.raises(UnreachableError, match=r"was not ready after 0\.8 s") as caught:
        wait.wait(project, declared, engine, 0.8, events.append)

    assert caught.value.detail == ("connection to server failed: refused",)
    rows = [row for event in events if isinstance(event, Progress) for row in event.services]
    assert [(row.service, row.state) for row in rows] == [("pg", "starting")]


def test_a_container_that_ended_is_told_with_its_log(
    project: Any, declared: Any, make_engine: Any, docker: Any
) -> None:
    engine = make_engine("exited")
    engine.found = (dataclasses.replace(engine.found[0], exit_code=3),)
    engine.log = "one\ntwo"

    with pytest.raises(StackError, match="service pg: it ended with code 3") as caught:
        wait.wait(project, declared, engine, 60)

    assert caught.value.detail == ("one", "two")


def test_a_database_that_was_stopped_is_not_running_rather_than_broken(
    project: Any, declared: Any, make_engine: Any, docker: Any
) -> None:
    with pytest.raises(UnreachableError, match="is not running") as caught:
        wait.wait(project, declared, make_engine("exited"), 60)

    assert "inv stack.up" in caught.value.hint


def test_a_stack_that_does_not_run_is_not_waited_for(
    project: Any, declared: Any, make_engine: Any
) -> None:
    with pytest.raises(UnreachableError, match="has no container") as caught:
        wait.wait(project, declared, make_engine(""), 60)

    assert caught.value.hint == "start it with: inv stack.up"

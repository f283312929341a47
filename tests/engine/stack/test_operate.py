"""Acting on services that are there: exec, run, logs, stop, start, restart."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Begun, Project

COMPOSE = """
services:
  app:
    image: redis:7-alpine
  # Shares nothing with app, so that a one-off container of it is always new.
  other:
    image: redis:7-alpine
    profiles: [tools]
"""


@pytest.fixture(scope="module")
def shared(shared_project: Callable[..., Project]) -> Project:
    return shared_project(compose=COMPOSE)


@pytest.fixture
def stack(shared: Project) -> Project:
    shared.up()
    return shared


@pytest.fixture
def inside(docker: Callable[..., str]) -> Callable[[Project, str], list[str]]:
    """Return the command lines inside a service's container that hold a text."""

    def inside(stack: Project, text: str) -> list[str]:
        container = stack.containers()["app"].id
        lines = docker("top", container, "-eo", "pid,args").splitlines()[1:]
        return [line for line in lines if text in line]

    return inside


@pytest.mark.parametrize(
    ("number", "to", "code"),
    [
        (signal.SIGINT, "group", 130),
        (signal.SIGINT, "process", 130),
        (signal.SIGTERM, "process", 143),
    ],
)
def test_an_interrupted_exec_off_a_terminal_ends_its_program_inside(
    number: int,
    to: str,
    code: int,
    stack: Project,
    begin: Callable[..., Begun],
    inside: Callable[[Project, str], list[str]],
    until: Callable[..., None],
    processes: Callable[[str], list[str]],
) -> None:
    run = begin(stack, "stack.exec", "-s", "app", "--", "sh", "-c", "sleep 300; true")
    until(lambda: inside(stack, "sleep 300"), 15, "the program is never started")
    run.signal(number, group=to == "group")
    until(lambda: not inside(stack, "sleep 300"), 3, "it still runs inside after 3 s")
    assert run.end(timeout=10).code == code
    assert processes(stack.name) == []
    assert stack.containers()["app"].state == "running"


def test_an_interrupted_one_off_container_is_removed(
    stack: Project, begin: Callable[..., Begun], until: Callable[..., None]
) -> None:
    before = set(stack.listed("ps", "--all"))
    run = begin(stack, "stack.run", "-s", "other", "--", "sleep", "300")
    until(lambda: set(stack.listed("ps")) - before, 20, "the container is never started")
    run.signal(signal.SIGINT, group=False)
    assert run.end(timeout=25).code == 130
    assert set(stack.listed("ps", "--all")) == before


def test_run_uses_a_new_container_and_removes_it(stack: Project) -> None:
    before = set(stack.listed("ps", "--all"))
    result = stack.inv("stack.run", "-s", "app", "--", "sh", "-c", 'echo "$HOSTNAME"; exit 5')
    assert result.code == 5
    assert result.stdout.strip()
    assert not stack.containers()["app"].id.startswith(result.stdout.strip())
    assert set(stack.listed("ps", "--all")) == before


def test_exec_on_a_terminal_hands_it_to_the_program(stack: Project) -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        stack.command("stack.exec", "-s", "app", "--", "sh", "-c", "test -t 0 && echo a terminal"),
        cwd=stack.folder,
        env=stack.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said, limit = b"", time.monotonic() + 20
    while b"a terminal" not in said and time.monotonic() < limit:
        if select.select([ours], [], [], 0.5)[0]:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
    assert child.wait(10) == 0, said
    os.close(ours)
    assert b"a terminal" in said


def test_logs_that_follow_end_with_an_interrupt_and_leave_no_program(
    stack: Project, begin: Callable[..., Begun], processes: Callable[[str], list[str]]
) -> None:
    run = begin(stack, "stack.logs", "--follow")
    time.sleep(1.5)
    assert run.child.poll() is None
    run.signal(signal.SIGINT, group=False)
    result = run.end()
    assert result.code == 130
    assert "Ready to accept connections" in result.stdout
    assert processes(stack.name) == []


def test_tail_bounds_the_logs(stack: Project) -> None:
    assert len(stack.inv("stack.logs", "--tail", "2").ok().stdout.splitlines()) == 2


def test_stop_start_and_restart_keep_the_containers(stack: Project) -> None:
    before = stack.containers()["app"]
    stack.inv("stack.stop", "-s", "app").ok()
    assert stack.containers()["app"].state == "exited"
    stack.inv("stack.start", "-s", "app").ok()
    started = stack.containers()["app"]
    assert (started.id, started.state) == (before.id, "running")
    stack.inv("stack.restart").ok()
    again = stack.containers()["app"]
    assert again.id == before.id
    assert again.started > started.started


def test_exec_without_a_command_or_a_service_says_what_to_write(stack: Project) -> None:
    result = stack.inv("stack.exec", "-s", "app")
    assert (result.code, result.error) == (2, "stack.exec: nothing to run")
    assert "inv stack.exec -s app -- COMMAND" in result.hint
    result = stack.inv("stack.exec", "--", "true")
    assert (result.code, result.error) == (2, "stack.exec: which service?")
    assert "app" in result.hint

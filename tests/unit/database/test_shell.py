from typing import Any

import pytest

from invoke_stack.database import shell, target
from invoke_stack.database.shell import Request
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError, UnreachableError

NAMES = (
    *("--env", "PGAPPNAME", "--env", "PGCONNECT_TIMEOUT", "--env", "PGDATABASE"),
    *("--env", "PGUSER", "--env", "PGPASSWORD"),
)
BATCH = ("psql", "-X", "-w", "-q", "-v", "ON_ERROR_STOP=1")


@pytest.fixture
def found(project: Any, declared: Any, engine: Any) -> Target:
    return target.find(project, declared, engine)


def test_a_statement_into_a_pipe_comes_bare(found: Target) -> None:
    call = shell.command(found, Request("SELECT 1"), "name")

    assert call.argv == (
        *("docker", "exec", "--interactive", *NAMES, "id-pg"),
        *(*BATCH, "-A", "-t", "--field-separator=\t", "--command=SELECT 1"),
    )
    assert call.env["PGPASSWORD"] == "canary-pw"
    assert not call.interactive


def test_a_statement_on_a_terminal_is_a_table_without_a_pager(found: Target) -> None:
    call = shell.command(found, Request("SELECT 1", keyboard=True, screen=True), "name")

    assert call.argv[-2:] == ("--pset=pager=off", "--command=SELECT 1")
    assert "--tty" not in call.argv


def test_a_file_is_read_from_standard_input(found: Target) -> None:
    call = shell.command(found, Request(screen=True), "name")

    assert call.argv[-8:] == (*BATCH, "--pset=pager=off", "--file=-")


def test_a_person_gets_a_terminal_and_their_own_interrupts(found: Target) -> None:
    call = shell.command(found, Request(keyboard=True, screen=True), "name")

    assert call.argv == (
        *("docker", "exec", "--tty", "--interactive", *NAMES, "id-pg", "psql", "-w"),
    )
    assert call.interactive


def test_without_a_screen_there_is_no_terminal_to_hand_on(found: Target) -> None:
    assert "--tty" not in shell.command(found, Request(keyboard=True), "name").argv


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [(1, StackError, 1), (3, StackError, 1), (2, UnreachableError, 6)],
)
def test_a_client_that_fails_ends_the_task(
    project: Any, found: Target, docker: Any, code: int, kind: type[StackError], exit_code: int
) -> None:
    docker.answer("psql ON_ERROR_STOP=1", code=code)

    with pytest.raises(kind) as caught:
        shell.run(project, found, Request("SELECT 1"))

    assert caught.value.code == exit_code
    assert caught.value.where == "database shop"


def test_a_client_that_ends_well_is_no_error(project: Any, found: Target, docker: Any) -> None:
    shell.run(project, found, Request("SELECT 1"))

    assert len(docker.asked) == 1

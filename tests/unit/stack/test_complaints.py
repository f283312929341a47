from __future__ import annotations

import pytest

from invoke_stack.errors import ExitCode
from invoke_stack.stack.complaints import compose_error


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (
            (
                " Container shop-db-1  Starting",
                "Error response from daemon: driver failed programming external connectivity",
                "",
            ),
            "driver failed programming external connectivity",
        ),
        (("a", "service web failed", "b"), "service web failed"),
        (("a", " last words "), "last words"),
        ((), "no output"),
    ],
)
def test_composes_own_last_words_are_the_message(tail: tuple[str, ...], message: str) -> None:
    problem = compose_error(tail)

    assert str(problem) == f"docker compose up: {message}"
    lines = tuple(line.strip() for line in tail if line.strip())
    assert problem.detail == (lines if len(lines) > 1 else ())  # one line is the message already


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Bind for 0.0.0.0:3000 failed: port is already allocated", "published port"),
        ("listen udp4 0.0.0.0:53: bind: address already in use", "published port"),
        ("listen tcp4 203.0.113.7:1: bind: cannot assign requested address", "host address"),
        ("network lan not found", "docker network create"),
        ('The container name "/a" is already in use by container "b"', "docker rm"),
        ("bind source path does not exist: /a/b", "create that file"),
        ("Invalid hostPort: abc", "below `ports:`, or in the variable"),
    ],
)
def test_what_the_users_own_hand_can_mend_is_a_usage_error(said: str, hint: str) -> None:
    problem = compose_error(
        (" Container shop-a-1  Starting", f"Error response from daemon: {said}")
    )

    assert problem.code == ExitCode.USAGE
    assert problem.message == said
    assert hint in problem.hint


@pytest.mark.parametrize(
    "said",
    [
        'service "a" depends on undefined service "zz": invalid compose project',
        "dependency cycle detected: a -> b -> a",
    ],
)
def test_files_that_compose_refuses_are_a_usage_error_said_once(said: str) -> None:
    problem = compose_error((said,))

    assert (problem.code, problem.message, problem.detail) == (ExitCode.USAGE, said, ())
    assert problem.hint == "correct the compose files, then run the task again"

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.stack import operate

Declare = Callable[..., Declared]
WORDS = ("sh", "-c", 'cd x && echo "$HOME"', "a\nb", "--", "-s")


def test_a_program_runs_in_its_container_word_for_word() -> None:
    command = operate.exec_command("0123", WORDS, "mark", terminal=False)

    assert command.argv == (
        "docker",
        "exec",
        "-i",
        "--env",
        "INVSTACK_RUN=mark",
        "0123",
        *WORDS,
    )
    assert command.effect == "write"


def test_a_person_gets_a_terminal() -> None:
    command = operate.exec_command("0123", ("sh",), "mark", terminal=True)

    assert command.argv[:4] == ("docker", "exec", "-i", "-t")


def test_a_one_off_container_removes_itself_and_has_a_name() -> None:
    words = operate.one_off_words("web", ("pnpm", "a b"), "shop-web-run-1", terminal=False)

    assert words == ("run", "--rm", "--no-TTY", "--name", "shop-web-run-1", "web", "pnpm", "a b")
    assert "--no-TTY" not in operate.one_off_words("web", ("sh",), "n", terminal=True)


@pytest.mark.parametrize(("colour", "ansi"), [(True, "always"), (False, "never")])
def test_logs_are_read_by_name_with_or_without_colour(colour: bool, ansi: str) -> None:  # noqa: FBT001
    command = operate.logs_command("shop", ["web", "db"], ["--tail", "5"], colour=colour)

    assert str(command) == (
        f"docker compose --project-name shop --ansi {ansi} logs --tail 5 web db"
    )
    assert command.effect == "read"
    assert command.env["COMPOSE_FILE"] == ""


def test_the_only_service_that_is_built_is_meant_when_none_is_named(declare: Declare) -> None:
    services: dict[str, Any] = {
        "web": {"build": "."},
        "db": {"image": "postgres"},
        "worker": {"build": ".", "profiles": ["jobs"]},
    }

    assert operate.default_service(declare(services)) == "web"
    with pytest.raises(UsageError) as caught:
        operate.default_service(declare(services, profiles=("jobs",)))
    assert str(caught.value) == "stack.exec: which service?"
    assert caught.value.hint == "name it with -s; services: db, web, worker"


def test_nothing_built_asks_for_the_service(declare: Declare) -> None:
    with pytest.raises(UsageError, match="which service"):
        operate.default_service(declare({"db": {"image": "postgres"}}))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_one_exec_started_is_found_by_its_mark_and_ended() -> None:
    mine, other = (
        subprocess.Popen(["sleep", "30"], env={operate.MARK: mark, "PATH": "/usr/bin:/bin"})
        for mark in ("one", "one-more")
    )
    try:
        subprocess.run(["sh", "-c", operate.END_MARKED, "sh", "one"], check=False)

        assert mine.wait(5) == -15
        assert other.poll() is None
    finally:
        for each in (mine, other):
            each.kill()
            each.wait()


@pytest.mark.parametrize("tail", ["abc", "-5", "", "1e3", "²"])
def test_a_tail_that_is_no_number_is_refused(tail: str) -> None:
    with pytest.raises(UsageError, match="--tail: expected a number of lines, or all"):
        operate.past(tail, "")


@pytest.mark.parametrize("since", ["nonsense", "10", "1h30m", "2026-01-31", "2026-01-31T10:00Z"])
def test_a_since_is_a_time_or_an_age(since: str) -> None:
    if since == "nonsense":
        with pytest.raises(UsageError, match="--since: expected a time or an age"):
            operate.past("all", since)
    else:
        assert operate.past("all", since) == ("--tail", "all", "--since", since)

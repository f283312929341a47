from __future__ import annotations

from invoke_stack import nox


def test_the_stack_starts_in_the_session_s_mode_with_the_named_services() -> None:
    assert nox.up("test", ["db", "redis"]) == (
        *("stack.up", "--mode", "test"),
        *("--service", "db", "--service", "redis"),
    )
    assert nox.shown("e2e").argv[3:] == (
        *("env.show", "--mode", "e2e", "--view", "host", "--reveal", "--json"),
    )


def test_a_session_gets_what_a_program_on_this_machine_would() -> None:
    rows = {
        "A": {"value": "1", "origin": "file"},
        "NODE_ENV": {"value": "test", "origin": "mode"},
        "DEFAULT": {"value": "2", "origin": "compose"},
        "UNSET": {"value": None, "origin": "file"},
        "B": {"value": "3", "origin": "process"},
    }

    assert nox.read({"schema": 1, "values": rows}) == {"A": "1", "NODE_ENV": "test", "B": "3"}

"""The first hour: env files that are missing, or that another system wrote."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

COMPOSE = 'services:\n  db:\n    environment:\n      PW: "${DB_PASSWORD:?}"\n'
SERVICES: dict[str, Any] = {"db": {"image": "postgres:16"}}
NEEDED = "error: compose.yaml:4: DB_PASSWORD is required and not set\n"


@pytest.fixture
def needy(stage: Stage) -> Stage:
    """A stack that needs one variable."""
    stage.write("compose.yaml", COMPOSE)
    stage.stack({"db": {"image": "postgres:16", "environment": {"PW": "${DB_PASSWORD:?}"}}})
    return stage


def test_without_template_and_value_the_way_to_both_is_named(
    needy: Stage, engine: FakeEngine
) -> None:
    ran = needy.inv("stack.up")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{NEEDED}  hint: set it in .env; inv env.init proposes one with every name\n"
    )
    # What the hint says works.
    engine.container("db", folder=str(needy.root))
    assert needy.inv("env.init", "--yes").code == 0
    assert needy.inv("stack.up").code == 0


def test_with_the_template_alone_env_init_is_the_next_step_and_it_helps(
    needy: Stage, engine: FakeEngine
) -> None:
    needy.write(".env.example", "# @required @sensitive @generate=hex(16)\nDB_PASSWORD=\n")
    engine.container("db", folder=str(needy.root))

    ran = needy.inv("stack.up")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{NEEDED}"
        "  hint: inv env.init makes .env from .env.example; fill in there what stays empty\n"
    )
    assert needy.inv("env.init").code == 0
    assert needy.inv("stack.up").code == 0


def test_the_command_of_the_hint_is_the_one_of_the_mode(needy: Stage) -> None:
    needy.write(".env.production.example", "DB_PASSWORD=\n")

    ran = needy.inv("stack.up", "--prod")

    assert ran.err == (
        f"{NEEDED}  hint: inv env.init --prod makes .env.production from .env.production.example; "
        "fill in there what stays empty\n"
    )
    assert needy.inv("env.init", "--prod").code == 0
    assert (needy.root / ".env.production").exists()


def test_a_key_that_the_template_got_since_is_added_by_env_init(
    needy: Stage, engine: FakeEngine
) -> None:
    needy.write(".env", "OTHER=1\n")
    needy.write(".env.example", "OTHER=\n# @required @generate=hex(16)\nDB_PASSWORD=\n")
    engine.container("db", folder=str(needy.root))

    ran = needy.inv("stack.up")

    assert ran.err == (f"{NEEDED}  hint: inv env.init adds it to .env, as .env.example has it\n")
    assert needy.inv("env.init").code == 0
    assert needy.inv("stack.up").code == 0


def test_a_value_that_stayed_empty_is_named_with_its_line(needy: Stage) -> None:
    needy.write(".env.example", "# yours to choose\nDB_PASSWORD=\n")
    needy.write(".env", "# yours to choose\nDB_PASSWORD=\n")

    ran = needy.inv("stack.up")

    assert (ran.code, ran.err) == (2, f"{NEEDED}  hint: give it a value: .env:2\n")


def test_an_env_file_that_a_service_names_and_nobody_has(stage: Stage) -> None:
    stage.stack({"web": {"image": "x", "env_file": [str(stage.root / ".env.local")]}})

    ran = stage.inv("stack.up")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: web: env_file .env.local does not exist and has no template\n"
        "  hint: write it, or a template .env.local.example and then: inv env.init, "
        "or mark it `required: false` in compose.yaml\n"
    )
    stage.write(".env.local.example", "A=1\n")
    assert stage.inv("env.init").code == 0
    assert (stage.root / ".env.local").read_text() == "A=1\n"


def test_no_env_file_at_all_is_fine(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("db", folder=str(stage.root))

    assert stage.inv("stack.up").code == 0


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_files_that_windows_wrote_say_the_same(
    stage: Stage, engine: FakeEngine, start: str, end: str
) -> None:
    def windows(name: str, *lines: str) -> None:
        (stage.root / name).write_bytes((start + end.join((*lines, ""))).encode())

    stage.stack(SERVICES)
    engine.container("db", folder=str(stage.root))
    windows("compose.yaml", "services:", "  db:", "    environment:", "      A: ${NOWHERE:?}")
    windows("invoke.yaml", "stack:", "  mode: staging")
    windows(".env", "A=one", 'B="two"', "NOWHERE='three'  # why", "C=")

    shown = stage.inv("env.show", "--json").document()
    up = stage.inv("stack.up")

    values = {key: (each["value"], each["line"]) for key, each in shown["values"].items()}
    assert shown["mode"] == "staging"
    assert values == {
        "A": ("one", 1),
        "B": ("two", 2),
        "NOWHERE": ("three", 3),
        "C": ("", 4),
        "NODE_ENV": ("production", None),
    }
    assert up.code == 0, up.err
    assert "\\r" not in json.dumps(stage.calls(" up --detach")[0]["env"])
    assert stage.inv("env.lint").code == 0


@pytest.mark.parametrize("name", [".env", "compose.yaml"])
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_named(stage: Stage, name: str, encoding: str) -> None:
    stage.stack(SERVICES)
    (stage.root / name).write_bytes("# größe\nA: 1\n".encode(encoding))

    ran = stage.inv("stack.up")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {name}:1: not UTF-8\n  hint: save ")


@pytest.mark.parametrize("task", ["env.init", "env.check", "stack.up"])
def test_a_template_that_is_a_named_pipe_is_named(stage: Stage, task: str) -> None:
    stage.stack(SERVICES)
    os.mkfifo(stage.root / ".env.example")

    ran = stage.inv(task)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {stage.root}/.env.example: a named pipe, a socket or a device where a template is "
        "expected\n  hint: move it, and put a file with NAME=value lines in its place\n"
    )

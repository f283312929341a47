"""The first hour: what is typed, and which Python and settings meet it."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import invoke_stack

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {"web": {"build": "."}, "db": {"image": "postgres:16"}}
DOCS = (Path(__file__).parents[3] / "docs" / "first-hour.md").read_text("utf-8")
DOCTOR = ("python", "-m", "invoke_stack", "stack.doctor")
PACKAGE = Path(invoke_stack.__file__).parent


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("stack.upp", "No idea what 'stack.upp' is!"),
        ("stack", "No idea what 'stack' is!"),
        ("stack.up --prd", "No idea what '--prd' is!"),
        ("stack.exec web ls", "No idea what 'web' is!"),
        ("stack.up --timeout", "Flag --timeout needed value and was not given one!"),
    ],
)
def test_what_invoke_does_not_know_is_its_own_message_and_the_docs_explain_it(
    stage: Stage, words: str, message: str
) -> None:
    stage.stack(SERVICES)

    ran = stage.inv(*words.split())

    assert (ran.code, ran.out, ran.err) == (1, "", f"{message}\n")
    assert f"| `{message}` |" in DOCS
    assert stage.calls() == []


@pytest.mark.parametrize(
    "words", ["stack.up --set", "stack.logs -s", "stack.up -s --prod", "stack.up --dev --set"]
)
def test_a_flag_that_may_be_repeated_needs_its_value_too(stage: Stage, words: str) -> None:
    ran = stage.inv(*words.split())

    assert (ran.code, ran.out) == (1, "")
    assert re.fullmatch(r"Flag --(set|service) needed value and was not given one!\n", ran.err)


def test_the_commands_that_the_docs_name_for_them_help(stage: Stage) -> None:
    listed, one = stage.inv("--list", "stack"), stage.inv("--help", "stack.up")

    assert (listed.code, one.code) == (0, 0)
    assert ".up " in listed.out
    assert "--prod" in one.out
    assert "`inv --list`" in DOCS
    assert "inv --help stack.up" in DOCS


def test_a_tasks_py_without_a_namespace_and_its_message_are_in_the_docs(stage: Stage) -> None:
    stage.write("tasks.py", "from invoke_stack import namespace\n")

    ran = stage.inv("--list")

    assert (ran.code, ran.err) == (1, "No tasks found in collection 'tasks'!\n")
    assert f"| `{ran.err.strip()}` |" in DOCS


@pytest.mark.parametrize(
    ("text", "kind"),
    [("stack:\n  mode: [a\n", "ParserError"), ("\tstack: 1\n", "ScannerError")],
)
def test_an_invoke_yaml_that_is_no_yaml_is_told_with_its_place(
    stage: Stage, text: str, kind: str
) -> None:
    """Invoke reads it before any code of ours runs, and its traceback is what one gets."""
    path = stage.write("invoke.yaml", text)

    done = subprocess.run(
        [stage.program, "stack.config"],
        cwd=stage.root,
        env=stage.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert f".{kind}: " in done.stderr
    assert re.search(rf'in "{re.escape(str(path))}", line \d+, column \d+', done.stderr)
    assert kind in DOCS
    # What the docs name for it does start, and says where.
    told = stage.inv(*DOCTOR[3:], program=(sys.executable, *DOCTOR[1:3]))
    assert f"`{' '.join(DOCTOR)}`" in DOCS
    assert (told.code, "settings  invoke.yaml:" in told.out) == (3, True)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("db: {servce: x}", "stack.db.servce: unknown setting", "did you mean stack.db.service?"),
        (
            "override: maybe",
            "stack.override: expected true or false, found a text",
            "for example: override: true",
        ),
        (
            "compose: {files: compose.yaml}",
            "stack.compose.files: expected a list, found a text",
            "for example: files: [first, second]",
        ),
        ("mode: 3", "stack.mode: expected a text, found a number", 'for example: mode: "…"'),
    ],
)
def test_a_setting_that_is_unknown_or_of_the_wrong_type(
    stage: Stage, text: str, message: str, hint: str
) -> None:
    stage.stack(SERVICES)
    stage.write("invoke.yaml", f"stack:\n  {text}\n")

    ran = stage.inv("stack.config")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: invoke.yaml: {message}\n  hint: {hint}\n"


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        (
            "INVSTACK_MOED",
            "prod",
            "environment: INVSTACK_MOED: unknown setting",
            "did you mean INVSTACK_MODE?",
        ),
        (
            "INVSTACK_TIMEOUT",
            "soon",
            "INVSTACK_TIMEOUT: expected a number, found another text",
            "for example: INVSTACK_TIMEOUT=60",
        ),
    ],
)
def test_a_variable_that_is_unknown_or_of_the_wrong_type(
    stage: Stage, name: str, value: str, message: str, hint: str
) -> None:
    stage.stack(SERVICES)

    ran = stage.inv("stack.config", **{name: value})

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: {message}\n  hint: {hint}\n"


def test_a_mode_of_the_settings_that_does_not_exist_is_no_flag_of_the_users(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.write("invoke.yaml", "stack: {mode: prodd}\n")

    ran = stage.inv("stack.config")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: setting stack.mode: no such mode: prodd\n"
        "  hint: did you mean prod? modes: dev, test, staging, prod, base\n"
    )


def test_settings_below_a_misspelt_key_do_not_vanish_in_silence(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.write("invoke.yaml", "stak: {mode: prod}\ntasks: {search_root: .}\n")

    ran = stage.inv("stack.config", "--json")

    assert ran.code == 0
    assert ran.err == (
        "warning: invoke.yaml: stak: nothing reads it\n  hint: did you mean stack?\n"
    )
    assert ran.document()["mode"] == "dev"


def test_keys_of_other_tools_are_nobodys_mistake(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.write("invoke.yaml", "tasks: {search_root: .}\nstatic: 1\nstate: 2\nrun: {echo: false}\n")

    assert stage.inv("stack.config").err == ""


OLD = (
    "import sys; sys.path[:0] = [{site!r}, {ours!r}]; {how}"
    "from invoke.main import program; program.run()"
)
SITE = sysconfig.get_path("purelib")


def old_python(stage: Stage, python: str, how: str = "") -> Any:
    """Run `inv` by another Python that finds Invoke and this package."""
    code = OLD.format(site=SITE, ours=str(PACKAGE.parent), how=how)
    return stage.inv("stack.up", program=(python, "-c", code))


def test_a_python_that_is_too_old_is_told_what_to_do(stage: Stage) -> None:
    ran = old_python(stage, sys.executable, "sys.version_info = (3, 10, 13, 'final', 0); ")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {sys.executable}: invoke_stack needs Python 3.11 or newer, and this is 3.10\n"
        "  hint: python3.11 -m venv .venv && .venv/bin/pip install invoke-stack, "
        "then: .venv/bin/inv --list\n"
    )


def installed(version: str) -> str:
    """Return another Python: from PATH, or beside this one where pyenv keeps them."""
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python{version}"))
    for each in (shutil.which(f"python{version}"), *map(str, beside)):
        words = [each or "false", "-c", "import sys; print(sys.version)"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0 and done.stdout.startswith(version):
            return str(each)
    return ""


@pytest.mark.parametrize("version", ["3.9", "3.10"])
def test_a_python_that_really_is_too_old_says_the_same(stage: Stage, version: str) -> None:
    python = installed(version)
    if not python:
        pytest.skip(f"no Python {version} on this machine")

    ran = old_python(stage, python)

    assert (ran.code, ran.out) == (2, "")
    assert f"invoke_stack needs Python 3.11 or newer, and this is {version}\n" in ran.err


def test_what_an_old_python_reads_before_it_is_told_is_written_in_its_language() -> None:
    ast.parse((PACKAGE / "__init__.py").read_text("utf-8"), feature_version=(3, 7))


def test_a_task_that_runs_twice_at_once(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), health="healthy")
    stage.answer(" up --detach", sleep_s=25)

    with stage.begin("stack.up") as first:
        stage.await_call(" up --detach")
        second = stage.inv("stack.up")
        first.terminate()
        first.communicate(timeout=20)

    assert (second.code, second.out) == (5, "")
    assert second.err == (
        f"error: stack.up: another run is busy with it (process {first.pid})\n"
        "  hint: wait until it has ended, then run the task again\n"
    )
    assert len(stage.calls(" up --detach")) == 1
    # The lock goes with its process, whatever end that had.
    stage.answer(" up --detach")
    engine.container("db", folder=str(stage.root))
    assert stage.inv("stack.up").code == 0


def test_a_reader_that_has_enough_ends_the_printing_and_nothing_else(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack(SERVICES)
    stage.write(".env", "".join(f"KEY_{number}={'x' * 60}\n" for number in range(1200)))
    engine.container("web", folder=str(stage.root))
    engine.container("db", folder=str(stage.root))

    for task in ("env.show", "env.show --json", "--list", "stack.ps"):
        ran = stage.shell(f"inv {task} | head -n 1")
        assert (task, ran.code, len(ran.out.splitlines()), ran.err[:6]) == (
            task,
            0,
            1,
            ".: mod" if task == "env.show" else "",
        )
    ran = stage.shell("inv stack.up | head -n 0; inv stack.up 2>&1 | head -n 1")

    # Both came to their ends: nothing is half done because nobody reads any more.
    assert ran.out == "pulling db\n"
    assert len(stage.calls(" up --detach")) == 2
    record = json.loads((stage.root / ".invoke-stack" / "stack.json").read_text())
    assert record["mode"] == "dev"

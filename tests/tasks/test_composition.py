from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from invoke_stack import namespace

if TYPE_CHECKING:
    from conftest import Stage

SERVICES: dict[str, Any] = {"web": {"build": "."}, "db": {"image": "postgres:16"}}


def listed(text: str) -> set[str]:
    return set(re.findall(r"^  ([\w.-]+)", text, re.MULTILINE))


def test_one_line_brings_every_collection(stage: Stage) -> None:
    ran = stage.inv("--list")

    assert ran.code == 0
    assert {"stack.up", "stack.exec", "stack.run", "env.show", "db.backup"} <= listed(ran.out)


def test_listing_the_tasks_loads_nothing_that_is_heavy(stage: Stage) -> None:
    program = (
        "import atexit, sys; from invoke.main import program; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); program.run()"
    )

    def loaded() -> set[str]:
        ran = stage.inv("--list", program=(sys.executable, "-c", program))
        assert ran.code == 0
        return set(ran.err.split())

    with_ours = loaded()
    stage.write("tasks.py", "from invoke import task\n\n@task\ndef nothing(c): ...\n")

    # Invoke itself loads a good deal; what counts is what we add.
    more = {name for name in with_ours - loaded() if not name.startswith("_")}
    assert "invoke_stack.tasks.db" in more
    assert {name for name in more if not name.startswith("invoke_stack.tasks")} == {"invoke_stack"}
    assert stage.calls() == []


@pytest.mark.parametrize("words", [("--list",), ("-l",), ("--list=stack",), ("-l", "stack")])
def test_tasks_are_listed_in_every_spelling(stage: Stage, words: tuple[str, ...]) -> None:
    ran = stage.inv(*words)

    assert ran.code == 0
    assert ".up " in ran.out


def test_collections_are_taken_one_by_one(stage: Stage) -> None:
    stage.write(
        "tasks.py",
        "from invoke import Collection\nfrom invoke_stack.tasks import db, stack\n"
        "ns = Collection(db, stack)\n",
    )
    stage.write("invoke.yaml", "stack: {mode: prod}\n")
    stage.stack(SERVICES)

    names = listed(stage.inv("--list").out)
    ran = stage.inv("stack.config", "--json")

    assert {"db.backup", "stack.up"} <= names
    assert not any(name.startswith("env.") for name in names)
    assert ran.document()["mode"] == "prod"


def test_a_task_is_replaced_by_name_and_own_tasks_stand_beside_ours(stage: Stage) -> None:
    stage.write(
        "tasks.py",
        """
from invoke import task
from invoke_stack import namespace

ns = namespace()

@task
def up(c):
    print("our own up")

@task(pre=[ns["stack.urls"]])
def seed_demo(c):
    print("seeded")

ns.collections["stack"].add_task(up)
ns.add_task(seed_demo)
""",
    )

    assert stage.inv("stack.up").out == "our own up\n"
    assert "seed-demo" in listed(stage.inv("--list").out)


def test_own_tasks_run_after_ours_and_not_when_ours_fail(stage: Stage) -> None:
    stage.write(
        "tasks.py",
        """
from invoke import task
from invoke_stack import namespace

ns = namespace()

@task(pre=[ns["stack.config"]])
def demo(c):
    print("demo ran")

ns.add_task(demo)
""",
    )

    failed = stage.inv("demo")
    stage.stack(SERVICES)
    done = stage.inv("demo")

    assert (failed.code, "demo ran" in failed.out) == (2, False)
    assert (done.code, "demo ran" in done.out) == (0, True)


def test_several_tasks_run_one_after_the_other_with_flags_of_their_own(stage: Stage) -> None:
    stage.stack(SERVICES)

    ran = stage.inv("stack.config", "--prod", "stack.config", "--staging")

    assert re.findall(r"mode +(\w+)", ran.out) == ["prod", "staging"]


def test_tasks_work_from_a_folder_below_the_project(stage: Stage) -> None:
    stage.stack(SERVICES)
    below = stage.root / "packages" / "web"
    below.mkdir(parents=True)

    ran = stage.inv("stack.config", "--json", cwd=below)

    assert ran.document()["root"] == str(stage.root)
    assert ran.document()["compose"] == ["compose.yaml"]


def test_tasks_may_be_a_package(stage: Stage) -> None:
    (stage.root / "tasks.py").rename(stage.root / "old.txt")
    stage.write("tasks/__init__.py", "from invoke_stack import namespace\nns = namespace()\n")
    stage.stack(SERVICES)

    ran = stage.inv("stack.config", "--json", cwd=stage.root / "tasks")

    assert ran.document()["root"] == str(stage.root)


def every_task() -> list[Any]:
    root = namespace()
    return [
        pytest.param(task, id=f"{name}.{task.name}")
        for name, collection in root.collections.items()
        for task in collection.tasks.values()
    ]


@pytest.mark.parametrize("task", every_task())
def test_every_task_and_every_flag_has_a_help_text(task: Any) -> None:
    sentence = (task.__doc__ or "").partition("\n")[0]
    assert sentence.endswith(".")
    for flag in task.get_arguments():
        assert flag.help, f"{task.name} --{flag.name}"
        assert "{" not in flag.help


def test_the_help_of_a_task_shows_its_flags(stage: Stage) -> None:
    text = stage.inv("--help", "stack.up").out

    assert "Start the stack and wait until every service is ready." in text
    for flag in ("-s, --service", "--prod", "--set", "--mode=STRING", "--timeout=INT"):
        assert flag in text
    for line in re.findall(r"^  -.*\n.*", text, re.MULTILINE):
        assert re.search(r"\S  +\S|\n +\S", line), line


def test_no_short_flag_is_given_by_chance(stage: Stage) -> None:
    text = stage.inv("--help", "stack.logs").out

    assert set(re.findall(r"^  (-\w)\b", text, re.MULTILINE)) == {"-s", "-f"}


def test_a_number_that_is_none_is_a_mistake_of_usage(stage: Stage) -> None:
    ran = stage.inv("stack.up", "--timeout", "soon")

    assert ran.code == 1  # Invoke's own code for flags it does not accept
    assert ran.err == "--timeout expects a number, not 'soon'\n"

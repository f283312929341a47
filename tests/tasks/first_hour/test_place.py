"""The first hour: the folder is not what the tool hopes for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {"web": {"image": "redis:7"}}
ONE_LINE = "from invoke_stack import namespace\n\nns = namespace()\n"
COMPOSE = "services:\n  db:\n    environment:\n      PW: ${PW:?}\n"
DOCS = Path(__file__).parents[3] / "docs" / "first-hour.md"


@pytest.mark.parametrize("task", ["stack.up", "stack.ps", "db.backup", "image.build"])
def test_without_a_compose_file_every_task_says_where_to_put_one(stage: Stage, task: str) -> None:
    ran = stage.inv(task)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {stage.root}: no compose file here\n"
        "  hint: write compose.yaml there or in docker/; one of another name: in invoke.yaml write "
        "stack: {compose: {files: [NAME]}}\n"
    )


@pytest.mark.parametrize("name", ["infra/compose.yaml", "deploy/local/docker-compose.yml"])
def test_a_compose_file_in_another_folder_is_found_and_the_hint_makes_it_work(
    stage: Stage, name: str
) -> None:
    stage.stack(SERVICES)
    (stage.root / "compose.yaml").unlink()
    stage.write(name, "services: {}\n")
    stage.write("node_modules/x/compose.yaml", "services: {}\n")

    ran = stage.inv("stack.config")

    line = f"stack: {{compose: {{files: [{name}]}}}}"
    assert ran.code == 2
    assert ran.err == (
        f"error: {stage.root}: no compose file here\n"
        f"  hint: found {name}; to use it in invoke.yaml write {line}\n"
    )
    stage.write("invoke.yaml", f"{line}\n")
    assert stage.inv("stack.config", "--json").document()["compose"] == [name]


def test_of_two_tasks_py_the_inner_one_counts_and_the_way_out_is_named(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.write("packages/web/tasks.py", ONE_LINE)

    ran = stage.inv("stack.config", cwd=stage.root / "packages" / "web")

    assert ran.code == 2
    assert ran.err == (
        f"error: {stage.root}/packages/web: no compose file here\n"
        f"  hint: this folder has a tasks.py of its own; the stack is above: "
        f"cd {stage.root}\n"
    )
    assert stage.inv("stack.config", cwd=stage.root).code == 0


def test_a_tasks_py_below_the_compose_file_is_told_where_it_belongs(stage: Stage) -> None:
    stage.stack(SERVICES)
    (stage.root / "tasks.py").unlink()
    stage.write("scripts/tasks.py", ONE_LINE)

    ran = stage.inv("stack.config", cwd=stage.root / "scripts")

    assert ran.code == 2
    assert ran.err == (
        f"error: {stage.root}/scripts: no compose file here\n"
        f"  hint: found {stage.root}/compose.yaml: move tasks.py beside it\n"
    )


def test_without_tasks_py_it_is_invoke_that_answers_and_the_docs_explain_it(
    stage: Stage, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    ran = stage.inv("stack.up", cwd=elsewhere)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Can't find any collection named 'tasks'!\n"
    assert ran.err.strip() in DOCS.read_text("utf-8")


def test_a_tasks_folder_beside_tasks_py_is_ignored_by_invoke_and_the_doctor_says_so(
    stage: Stage,
) -> None:
    stage.stack(SERVICES)
    own = "from invoke import task\n\n@task\ndef own(c): ...\n"
    stage.write("tasks/__init__.py", own)

    listed = stage.inv("--list").out
    found = stage.inv("stack.doctor", "--json").document()["findings"]

    assert ("  stack.up " in listed, "  own\n" in listed) == (True, False)
    (both,) = [each for each in found if each["rule"] == "DOC-TASKS"]
    assert (both["severity"], both["subject"]) == ("error", "tasks.py and tasks/__init__.py")
    assert both["message"] == "there are both: Invoke takes tasks.py, and the folder is never read"
    assert both["fix"] == "remove one"


@pytest.mark.parametrize(
    ("name", "locale"),
    [("two words", "C"), ("größe ✓", "C"), ("größe ✓", "C.UTF-8"), ("it's $HOME;&", "C.UTF-8")],
)
def test_any_folder_name_works(stage: Stage, engine: FakeEngine, name: str, locale: str) -> None:
    folder = stage.root / name
    stage.stack(SERVICES)
    folder.mkdir()
    (stage.root / "compose.yaml").rename(folder / "compose.yaml")
    (folder / "tasks.py").write_text(ONE_LINE)
    (folder / ".env").write_text("A=1\n")
    engine.container("web", folder=str(folder))

    ran = stage.inv("stack.up", cwd=folder, LC_ALL=locale)

    assert ran.code == 0, ran.err
    argv = stage.calls(" up --detach")[0]["argv"]
    assert str(folder / "compose.yaml") in argv
    assert "1 from .env" in ran.err


def test_a_folder_of_which_no_project_name_can_be_made_is_told_what_to_write(
    stage: Stage,
) -> None:
    stage.write("compose.yaml", "services: {}\n")
    stage.answer("config --format json", stderr="project name must not be empty\n", code=1)

    ran = stage.inv("stack.up")

    assert ran.code == 2
    assert ran.err == (
        "error: project name: the folder's name has no letter or digit that Compose can use\n"
        "  hint: write at the top of compose.yaml: name: app\n"
    )


@pytest.mark.parametrize("task", ["env.init", "stack.up"])
def test_a_folder_that_is_read_only_is_named_and_nothing_is_left_in_it(
    stage: Stage, unprivileged: tuple[str, ...], engine: FakeEngine, task: str
) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root))
    stage.write(".env.example", "# @required\nA=1\n")
    before = stage.snapshot()
    stage.root.chmod(0o555)

    ran = stage.inv(task, program=unprivileged)

    stage.root.chmod(0o755)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {stage.root}/.invoke-stack: cannot be created: permission denied\n"
        f"  hint: it is yours but not writable: chmod u+rwX {stage.root}\n"
    )
    assert stage.snapshot() == before
    assert not (stage.root / ".invoke-stack").exists()


def test_reading_a_folder_that_is_read_only_is_fine(
    stage: Stage, unprivileged: tuple[str, ...], engine: FakeEngine
) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root))
    stage.root.chmod(0o555)

    for task in ("stack.config", "stack.ps", "env.show", "db.backups"):
        ran = stage.inv(task, program=unprivileged)
        assert (task, ran.code) == (task, 0), ran.err

    stage.root.chmod(0o755)


def test_an_env_file_in_a_folder_that_is_read_only_is_not_half_written(
    stage: Stage, unprivileged: tuple[str, ...]
) -> None:
    stage.stack(SERVICES)
    stage.write(".invoke-stack/.gitignore", "*\n")
    stage.write(".env.example", "A=1\n")
    before = stage.snapshot()
    stage.root.chmod(0o555)

    ran = stage.inv("env.init", program=unprivileged)

    stage.root.chmod(0o755)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {stage.root}/.env: cannot be written: permission denied\n")
    assert ran.err.endswith(f"  hint: it is yours but not writable: chmod u+rwX {stage.root}\n")
    assert stage.snapshot() == before


@pytest.mark.parametrize("name", [".invoke-stack", ".env", "compose.yaml"])
def test_what_root_once_made_is_told_how_to_get_back(
    stage: Stage, unprivileged: tuple[str, ...], engine: FakeEngine, name: str
) -> None:
    """`sudo inv …` once: what it made is root's alone, and every later run meets it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root))
    stage.write(".invoke-stack/.gitignore", "*\n")
    stage.write(".env", "A=1\n")
    made = stage.root / name
    made.chmod(0o700 if made.is_dir() else 0o600)
    os.chown(made, 54321, 54321)

    ran = stage.inv("stack.up", program=unprivileged)

    assert (ran.code, ran.out) == (2, "")
    error, hint = ran.err.splitlines()
    assert re.fullmatch(rf"error: \S*{re.escape(name)}\S*: .*permission denied", error)
    command = f'sudo chown -R "$(id -un)" {made}'
    assert hint == f"  hint: it belongs to user 54321: {command}"
    # The command of the hint is one that helps, word for word; root needs no sudo for it.
    words = command.removeprefix("sudo ")
    subprocess.run(["sh", "-c", words], timeout=20, check=True)
    assert stage.inv("stack.up", program=unprivileged).code == 0


def test_root_needs_nothing_special(stage: Stage, engine: FakeEngine) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try what root meets")
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root))

    ran = stage.inv("stack.up", USER="root", HOME="/root")

    assert ran.code == 0, ran.err
    assert "root" not in ran.err

"""`env.lint`, `env.explain`, `env.diff` and `env.run` from the command line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Stage

from invoke_stack.errors import ExitCode


def test_lint_of_a_clean_project_ends_with_0(stage: Stage) -> None:
    stage.write(".env", "A=1\n")

    assert stage.inv("env.lint").code == 0


def test_lint_ends_with_3_on_an_error_and_with_strict_on_a_warning(stage: Stage) -> None:
    stage.write(".env", "A=b#c\n")

    assert stage.inv("env.lint").code == 0
    assert stage.inv("env.lint", "--strict").code == ExitCode.FINDINGS

    stage.write(".env", "A='open\n")
    assert stage.inv("env.lint").code == ExitCode.FINDINGS


def test_lint_in_json_is_one_document_of_findings(stage: Stage) -> None:
    stage.write(".env", "A=1\nA='canary-4711\n")

    ran = stage.inv("env.lint", "--json")

    (found,) = ran.document()["findings"]
    assert (found["rule"], found["where"]) == (
        "ENV-SYNTAX",
        [{"side": "local", "file": ".env", "line": 2}],
    )
    assert ran.code == ExitCode.FINDINGS
    assert "canary" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("form", "start"),
    [("sarif", "{"), ("github", "::error file=.env"), ("markdown", "| Severity")],
)
def test_lint_writes_other_formats(stage: Stage, form: str, start: str) -> None:
    stage.write(".env", "A='open\n")

    assert stage.inv("env.lint", "--format", form).out.startswith(start)


def test_explain_shows_where_a_value_came_from_without_the_secret(stage: Stage) -> None:
    stage.write(".env", "API_SECRET=one-4711\n")
    stage.write(".env.local", "API_SECRET=two-4711\n")

    ran = stage.inv("env.explain", "-k", "API_SECRET")

    assert ".env.local:1" in ran.out
    assert ".env:1" in ran.out
    assert "4711" not in ran.out + ran.err
    assert "two-4711" in stage.inv("env.explain", "-k", "API_SECRET", "--reveal").out


def test_explain_of_an_unknown_key_suggests_one(stage: Stage) -> None:
    stage.write(".env", "API_SECRET=1\n")

    ran = stage.inv("env.explain", "-k", "API_SECRT", "--json")

    assert ran.code == ExitCode.USAGE
    assert "did you mean API_SECRET?" in ran.err


def test_diff_of_two_modes_names_keys_and_no_values(stage: Stage) -> None:
    stage.write(".env", "A=canary-1\n")
    stage.write(".env.production", "A=canary-2\nB=1\n")

    ran = stage.inv("env.diff", "--from", "dev", "--to", "prod", "--json")

    (found,) = ran.document()["differences"]
    assert found["keys"] == {"A": "differs", "B": "right", "NODE_ENV": "differs"}
    assert "canary" not in ran.out + stage.inv("env.diff", "--to", "prod").out


def test_diff_without_another_side_is_a_mistake_of_usage(stage: Stage) -> None:
    stage.write(".env", "A=1\n")

    assert stage.inv("env.diff").code == ExitCode.USAGE
    assert stage.inv("env.diff", "--to", "prod", "--template").code == ExitCode.USAGE


def test_run_hands_words_and_values_over_and_passes_the_exit_code_on(stage: Stage) -> None:
    stage.write(".env", "GREETING='hello  you'\n")
    program = (
        "import json,os,sys; print(json.dumps([os.environ['GREETING'], sys.argv[1:]])); sys.exit(7)"
    )

    ran = stage.inv("env.run", "--", "python3", "-c", program, "a  b", "$X", "--json")

    assert json.loads(ran.out) == ["hello  you", ["a  b", "$X", "--json"]]
    assert ran.code == 7


def test_a_dry_run_starts_nothing_and_shows_no_value(stage: Stage) -> None:
    stage.write(".env", "API_SECRET=canary-4711\n")

    ran = stage.inv("--dry", "env.run", "--", "touch", "here")

    assert not (stage.root / "here").exists()
    assert "touch here" in ran.out + ran.err
    assert "canary" not in ran.out + ran.err


TASKS = {
    "env.show": (),
    "env.explain": ("-k", "A"),
    "env.lint": (),
    "env.check": (),
    "env.diff": ("--template",),
    "env.sync": (),
    "env.init": (),
}


@pytest.fixture
def two_folders(stage: Stage) -> Stage:
    stage.write(
        "compose.yaml", "services: {api: {image: x, env_file: [api/.env]}, cache: {image: x}}\n"
    )
    stage.stack({"api": {"image": "x", "env_file": ["api/.env"]}, "cache": {"image": "x"}})
    for folder in ("", "api/"):
        stage.write(f"{folder}.env.example", "A=1\nB=2\n")
        stage.write(f"{folder}.env", "A=1\nA=1\n")
    return stage


@pytest.mark.parametrize("task", TASKS)
def test_every_task_covers_all_folders_and_with_dir_one_of_them(
    two_folders: Stage, task: str
) -> None:
    both = two_folders.inv(task, *TASKS[task], "--dry", "--json")
    one = two_folders.inv(task, *TASKS[task], "--dry", "--json", "--dir", "api")
    root = two_folders.inv(task, *TASKS[task], "--dry", "--json", "--dir", ".")

    assert "api" in both.out
    assert len(one.out) < len(both.out)
    assert len(root.out) < len(both.out)
    assert "api" not in root.out


@pytest.mark.parametrize("task", TASKS)
def test_every_task_refuses_a_folder_or_service_that_is_not_there(
    two_folders: Stage, task: str
) -> None:
    for flag in ("--dir", "--service"):
        ran = two_folders.inv(task, *TASKS[task], "--dry", flag, "nowhere")

        assert (ran.code, ran.err.count("nowhere") > 0) == (2, True)


@pytest.mark.parametrize("task", ["env.lint", "env.check", "env.diff", "env.sync", "env.init"])
def test_with_service_a_task_keeps_to_the_env_files_of_that_service(
    two_folders: Stage, task: str
) -> None:
    one = two_folders.inv(task, *TASKS[task], "--dry", "--json", "--service", "api")
    same = two_folders.inv(task, *TASKS[task], "--dry", "--json", "--dir", "api")

    assert one.document() == same.document()
    assert "api" in one.out


def test_run_gives_a_program_what_a_service_gets(two_folders: Stage) -> None:
    two_folders.write("api/.env", "A=of the service\n")

    ran = two_folders.inv("env.run", "--service", "api", "--", "sh", "-c", "echo $A")

    assert ran.out.strip() == "of the service"


def test_a_folder_without_env_files_is_no_clean_result(two_folders: Stage) -> None:
    two_folders.write("docs/readme", "")

    ran = two_folders.inv("env.lint", "--dir", "docs")

    assert ran.code == ExitCode.USAGE
    assert "no env file or template in docs" in ran.err


def test_lint_tells_of_a_template_as_its_files_would_be_told(stage: Stage) -> None:
    stage.write(".env.example", "A=b#c\nB='open\n")

    found = stage.inv("env.lint", "--json").document()["findings"]

    assert [(each["rule"], each["severity"], each["where"][0]["line"]) for each in found] == [
        ("ENV-SYNTAX", "error", 2),
        ("ENV-NEXT", "info", 1),
    ]


def test_a_setting_says_which_file_a_template_makes(stage: Stage) -> None:
    stage.write(".env.docker.example", "A=1\n")
    stage.write(".env.worker.example", "B=1\n")
    stage.write(
        "invoke.yaml",
        "stack: {env: {templates: {.env.docker.example: docker/stack.env}}}\n",
    )

    ran = stage.inv("env.init")

    assert ran.code == 0, ran.err
    assert (stage.root / "docker/stack.env").read_text() == "A=1\n"
    assert (stage.root / ".env.worker").read_text() == "B=1\n"
    assert not (stage.root / ".env.docker").exists()


def test_a_setting_that_names_no_template_is_an_error(stage: Stage) -> None:
    stage.write("invoke.yaml", "stack: {env: {templates: {.env.dokcer.example: .env}}}\n")

    ran = stage.inv("env.check")

    assert ran.code == ExitCode.USAGE
    assert "setting stack.env.templates: no such template: .env.dokcer.example" in ran.err


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_named_pipe_is_never_read_and_never_passed_over(stage: Stage) -> None:
    stage.write("compose.yaml", "services: {web: {image: x, env_file: [web.env]}}\n")
    os.mkfifo(stage.root / "web.env")

    for task in ("env.lint", "env.check"):
        ran = stage.inv(task)

        assert ran.code in {ExitCode.USAGE, ExitCode.FINDINGS}
        assert "web.env" in ran.out + ran.err
        assert "a named pipe, a socket or a device" in ran.out + ran.err

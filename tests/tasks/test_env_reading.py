"""`env.lint`, `env.explain`, `env.diff` and `env.run` from the command line."""

from __future__ import annotations

import json
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

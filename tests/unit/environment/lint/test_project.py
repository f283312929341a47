"""`env.lint` over a whole project: folders, layers, services and Next.js apps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from invoke_stack.environment.lint.project import report
from invoke_stack.environment.selection import Selection
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Report
from invoke_stack.findings.writers import FORMATS, write
from invoke_stack.project import Project

Make = Callable[..., Project]
NEXT = '{"dependencies": {"next": "16"}}'


@pytest.fixture
def lint(make_project: Make) -> Callable[..., Report]:
    def lint(
        files: Mapping[str, str], *, folder: str = "", mode: str = "", **environ: str
    ) -> Report:
        return report(
            make_project(files=files, environ=environ, mode=mode), Selection(folder=folder)
        )

    return lint


def told(found: Report) -> list[tuple[str, str, str]]:
    return [(each.rule, each.severity, str(each.home)) for each in found.findings]


def test_a_clean_project_passes_with_the_files_it_read(lint: Callable[..., Report]) -> None:
    found = lint({".env": "A=1\nB=http://${A}\n", "web/.env.local": "C='x y'\n"})

    assert told(found) == []
    assert [each.subject for each in found.passes] == [".env", "web/.env.local"]


def test_every_folder_with_env_files_is_checked(lint: Callable[..., Report]) -> None:
    found = lint({".env": "A=b#c\n", "backend/.env": "B=c#d\n"})

    assert told(found) == [
        ("ENV-NEXT", "warning", ".env:1"),
        ("ENV-NEXT", "warning", "backend/.env:1"),
    ]


def test_one_folder_can_be_checked_alone(lint: Callable[..., Report]) -> None:
    files = {".env": "A=b#c\n", "backend/.env": "B=c#d\n"}

    assert told(lint(files, folder="backend")) == [("ENV-NEXT", "warning", "backend/.env:1")]
    with pytest.raises(UsageError, match="no such folder"):
        lint(files, folder="nowhere")


def test_only_the_files_of_the_mode_are_read(lint: Callable[..., Report]) -> None:
    files = {".env": "A=1\n", ".env.production": "B=b#c\n"}

    assert told(lint(files)) == []
    assert told(lint(files, mode="prod")) == [("ENV-NEXT", "warning", ".env.production:1")]


def test_a_circle_through_two_files_is_an_error(lint: Callable[..., Report]) -> None:
    found = lint({".env": "B=1\nA=${B}\n", ".env.local": "B=${A}\n"})

    assert ("ENV-REF", "error") in {(rule, level) for rule, level, _ in told(found)}


def test_a_value_that_layering_changes_for_compose_or_next_js_is_said(
    lint: Callable[..., Report],
) -> None:
    found = lint({".env": "HOST=a\nURL=http://${HOST}\n", ".env.local": "HOST=b\n"})

    assert ("ENV-LAYER", "warning", ".env:2") in told(found)


def test_a_reference_to_a_lower_file_is_empty_in_next_js(lint: Callable[..., Report]) -> None:
    found = lint({".env": "HOST=a\n", ".env.local": "URL=http://${HOST}\n"})

    assert told(found) == [("ENV-LAYER", "warning", ".env.local:1")]


def test_what_the_process_overrides_is_said(lint: Callable[..., Report]) -> None:
    found = lint({".env": "A=1\nB=2\n"}, A="other", B="2")

    assert told(found) == [("ENV-SHADOW", "warning", ".env:1")]


def test_a_node_env_that_the_mode_overrules_is_said(lint: Callable[..., Report]) -> None:
    files = {".env": "NODE_ENV=production\n"}

    assert told(lint(files)) == [("ENV-SHADOW", "warning", ".env:1")]
    assert told(lint(files, mode="prod")) == []


def test_a_service_that_reads_one_layer_of_several_is_said(lint: Callable[..., Report]) -> None:
    compose = "services:\n  web:\n    image: x\n    env_file:\n      - path: .env\n"
    files = {"compose.yaml": compose, ".env": "A=1\n"}

    assert told(lint(files)) == []
    assert told(lint({**files, ".env.local": "B=1\n"})) == [
        ("ENV-BYPASS", "warning", "compose.yaml:5")
    ]


def test_an_env_file_that_only_a_service_reads_is_checked(lint: Callable[..., Report]) -> None:
    compose = "services:\n  web:\n    image: x\n    env_file: conf/web.env\n"

    found = lint({"compose.yaml": compose, "conf/web.env": "A=b#c\n"})

    assert told(found) == [("ENV-NEXT", "warning", "conf/web.env:1")]


def test_a_next_app_may_not_name_a_key_with_a_dollar_value(lint: Callable[..., Report]) -> None:
    files = {"web/package.json": NEXT, "web/.env": "PASSWORD='a'\nPRICE='5 $'\n"}

    found = told(lint(files, PASSWORD="pa$word"))

    assert ("ENV-NEXT-PROC", "error", "web/.env:1") in found
    assert ("ENV-NEXT-PROC", "error", "web/.env:2") in found


def test_in_a_next_app_a_value_it_reads_otherwise_is_an_error(lint: Callable[..., Report]) -> None:
    found = lint({"web/package.json": NEXT, "web/.env": "A=b#c\n"})

    assert told(found) == [("ENV-NEXT", "error", "web/.env:1")]


def test_a_broken_file_still_gets_everything_else(lint: Callable[..., Report]) -> None:
    found = lint({".env": 'A="open\nB=b#c\nC=1\n', ".env.local": "C=2\nD=${C}\n"}, C="3")

    # `dotenv_values` takes the file's C for D, Compose that of the process.
    rules = {"ENV-SYNTAX", "ENV-NEXT", "ENV-SHADOW", "ENV-DOLLAR"}
    assert {each.rule for each in found.findings} == rules


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_holds_a_value(lint: Callable[..., Report], form: str) -> None:
    text = "A=hunter2canary#x\nB='hunter2canary\nC=$hunter2canary\n"
    found: Any = lint({".env": text, "compose.yaml": "services: [\n"}, A="hunter2canary$")

    assert "hunter2canary" not in write(found, form)

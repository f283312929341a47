"""What `stack.doctor` says, ends with, and lives through."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import FakeEngine, Ran, Stage

MARKS = "✓⚠✗·?"
SERVICES: dict[str, Any] = {"web": {"image": "web:1", "ports": ["38123:80"]}}


def lines(ran: Ran) -> list[str]:
    """Return the lines of the areas, without the fixes and the counts."""
    return [line for line in ran.out.splitlines() if line[:1] in MARKS and line[1:2] == " "]


def areas(ran: Ran, mark: str) -> set[str]:
    return {line.split()[1] for line in lines(ran) if line.startswith(mark)}


def test_a_healthy_project_is_told_line_by_line(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    stage.answer("buildx version", "github.com/docker/buildx v0.13.1 0")

    ran = stage.inv("stack.doctor")

    assert (ran.code, ran.err) == (0, "")
    assert "; what `engine: auto` picks" in lines(ran)[0]
    assert {"engine", "compose", "buildx", "tasks", "settings", "stack", "ports"} <= areas(ran, "✓")
    assert not areas(ran, "✗")
    assert ran.out.splitlines()[-1].startswith("0 errors, ")


def test_an_error_ends_with_3_and_has_its_fix_below(stage: Stage) -> None:
    stage.stack(SERVICES)
    address = f"unix://{stage.bin}/none.sock"

    ran = stage.inv("stack.doctor", DOCKER_HOST=address, INVSTACK_ENGINE="docker")

    assert ran.code == 3
    text = ran.out.splitlines()
    at = text.index(next(line for line in text if line.startswith("✗ engine")))
    assert text[at].endswith(f"no engine answers at {address}")
    assert text[at + 1].split(":")[0].strip() == "fix"
    assert {"disk", "clock", "ports"} <= areas(ran, "?")


def test_json_has_the_shape_of_every_checker(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("other", ports={80: 38123})["Config"]["Labels"] = {}

    ran = stage.inv("stack.doctor", "--json")
    document = ran.document()

    assert ran.code == 3
    (taken,) = [each for each in document["findings"] if each["rule"] == "DOC-PORTS"]
    assert (taken["severity"], taken["subject"]) == ("error", "web")
    assert taken["message"] == "port 38123 is held by container shop-other-1"
    assert "stop that one: docker stop shop-other-1" in taken["fix"]
    assert {each["rule"] for each in document["passes"]} >= {"DOC-ENGINE", "DOC-STACK"}
    assert all(each["message"] for each in document["unknowns"])


@pytest.fixture
def bare(stage: Stage, tmp_path: Path) -> Stage:
    """Return a project on a machine with no program at all."""
    stage.write("package.json", '{"engines":{"node":">=20"},"dependencies":{"pg":"8"}}')
    stage.write("compose.yaml", "services:\n  db: {image: postgres:16}\n  web: {build: .}\n")
    (tmp_path / "empty").mkdir()
    stage.environ["PATH"] = str(tmp_path / "empty")
    return stage


def test_a_machine_with_nothing_on_it_goes_on_without_docker(bare: Stage) -> None:
    ran = bare.inv("stack.doctor")

    assert "embedded: on this machine without Docker: docker is not on PATH" in ran.out
    assert "· engine    web: needs Docker and is not started" in ran.out
    assert {"tasks", "settings", "stack"} <= areas(ran, "✓")
    assert areas(ran, "⚠") >= {"node", "manager"}
    assert {"git", "database"} <= areas(ran, "?")
    assert not {"compose", "buildx", "clock"} & {line.split()[1] for line in lines(ran)}


def test_where_docker_is_meant_it_is_missed(bare: Stage) -> None:
    ran = bare.inv("stack.doctor", INVSTACK_ENGINE="docker")

    assert ran.code == 3
    assert areas(ran, "✗") == {"engine"}
    assert {"disk", "clock", "ports", "database", "git"} <= areas(ran, "?")


def test_a_stack_whose_data_is_with_a_stopped_docker_is_told_so(bare: Stage) -> None:
    bare.write(".invoke-stack/stack.json", '{"project":"shop","engine":"docker","mode":"dev"}')

    ran = bare.inv("stack.doctor")

    assert ran.code == 3
    assert "✗ engine    docker: this stack last ran on Docker, and docker is not on PATH" in ran.out
    assert "fix: install Docker, or put it on PATH; or go on without Docker" in ran.out


def test_outside_a_stack_and_in_a_folder_below(stage: Stage, engine: FakeEngine) -> None:
    below = stage.root / "deep" / "down"
    below.mkdir(parents=True)

    ran = stage.inv("stack.doctor", cwd=below)

    assert ran.code == 0
    assert "⚠ stack" in ran.out
    assert "no compose file here" in ran.out
    assert not {"ports", "database", "node"} & {line.split()[1] for line in lines(ran)}


def test_no_secret_is_shown(stage: Stage, engine: FakeEngine) -> None:
    secret = "canary0123456789canary"
    stage.write(".env", f"POSTGRES_PASSWORD={secret}\n").chmod(0o644)
    stage.answer("config --format json", stderr=f"invalid value {secret}", code=1)
    stage.write("compose.yaml", "services: {}\n")

    for words in (("stack.doctor",), ("stack.doctor", "--json")):
        ran = stage.inv(*words)
        assert ran.code == 3
        assert secret not in ran.out + ran.err
        assert "chmod 600 .env" in ran.out


@pytest.mark.parametrize(
    ("file", "text", "subject"),
    [
        ("invoke.yaml", "stack:\n  db:\n\tservice: pg\n", "invoke.yaml:3"),
        ("tasks.py", "from invoke_stack import namespace\nns = namespace(\n", "tasks.py:2"),
    ],
)
def test_what_keeps_invoke_from_starting_is_told_without_it(
    stage: Stage, engine: FakeEngine, file: str, text: str, subject: str
) -> None:
    stage.write(file, text)
    below = stage.root / "below"
    below.mkdir()

    program = (sys.executable, "-m", "invoke_stack")
    ran = stage.inv("stack.doctor", cwd=below, program=program)

    assert ran.code == 3
    assert f" {subject}: " in ran.out


def test_settings_count_without_tasks_py(stage: Stage, engine: FakeEngine) -> None:
    (stage.root / "tasks.py").unlink()
    stage.write("invoke.yaml", "stack:\n  compose:\n    files: [none.yaml]\n")

    ran = stage.inv("stack.doctor", program=(sys.executable, "-m", "invoke_stack"))

    assert ran.code == 3
    assert "none.yaml does not exist" in ran.out
    assert "✗ tasks" in ran.out


USES = """\
services:
  db: {image: "postgres:16", environment: {POSTGRES_PASSWORD: "${DB_PASSWORD:?}"}}
  web: {image: "web:1", environment: {URL: "postgres://app:${DB_PASSWORD:?choose one}@db/app"}}
"""
REFERENCES = "U=postgres://${DB_PASSWORD:?}@h/\nV=postgres://${DB_PASSWORD:?}@h/\n"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {".env": "A=1\n", ".env.example": "DB_PASSWORD=\n"},
        {".env": "A=1\n", ".env.example": "# @required\nDB_PASSWORD=\n"},
        {".env": "DB_PASSWORD=\n", ".env.example": "# @required\nDB_PASSWORD=\n"},
        {".env": REFERENCES},
    ],
)
def test_a_variable_that_is_missing_counts_once_however_often_it_is_used(
    stage: Stage, engine: FakeEngine, files: dict[str, str]
) -> None:
    stage.write("compose.yaml", USES)
    stage.stack({"db": {"image": "postgres:16"}, "web": {"image": "web:1"}})
    for name, text in files.items():
        stage.write(name, text).chmod(0o600)

    ran = stage.inv("stack.doctor", "--json")

    assert ran.code == 3
    (found,) = [each for each in ran.document()["findings"] if "DB_PASSWORD" in str(each)]
    assert (found["rule"], found["severity"]) == ("DOC-STACK", "error")
    assert "DB_PASSWORD is required" in found["message"]
    assert found["fix"]


def test_every_missing_variable_is_named(stage: Stage, engine: FakeEngine) -> None:
    names = [f"KEY_{number}" for number in range(7)]
    uses = ", ".join(f'{name}: "${{{name}:?}}"' for name in names)
    stage.write("compose.yaml", f'services: {{web: {{image: "web:1", environment: {{{uses}}}}}}}\n')
    stage.stack({"web": {"image": "web:1"}})

    found = [each for each in stage.inv("stack.doctor", "--json").document()["findings"]
             if each["severity"] == "error"]  # fmt: skip

    assert [each["message"].split()[0] for each in found] == [*names[:5], "and"]
    assert found[-1]["message"] == "and 2 more required variables are not set: KEY_5, KEY_6"
    assert {each["rule"] for each in found} == {"DOC-STACK"}

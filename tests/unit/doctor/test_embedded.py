from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import embedded
from invoke_stack.engines.embedded.programs import NEEDED

if TYPE_CHECKING:
    from conftest import Examine, FakeRunner

COMPOSE = """
services:
  pg: {image: "postgres:16-alpine"}
  web: {build: .}
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder with everything that a PostgreSQL server is made of."""
    folder = tmp_path / "pg" / "bin"
    folder.mkdir(parents=True)
    for name in {*NEEDED["postgres"], "postgres"}:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [("16.14", "ok", "postgres 16.14 in "), ("15.8", "warning", "runs on 15.8: of version 16 no")],
)
def test_each_service_is_told_with_what_runs_it(
    examine: Examine, runner: FakeRunner, programs: Path, version: str, state: str, words: str
) -> None:
    runner.answer("--version", f"postgres (PostgreSQL) {version}")
    settings = {"engine": "embedded", "embedded": {"postgres": str(programs)}}

    pg, web = embedded.services(examine({"compose.yaml": COMPOSE}, settings=settings))

    assert (pg.subject, pg.state) == ("pg", state)
    assert pg.message.startswith(words)
    assert (web.subject, web.state, web.fix) == ("web", "info", "inv env.run -- COMMAND")


def test_data_of_another_version_than_the_image_is_told_with_what_runs_it(
    examine: Examine, runner: FakeRunner, programs: Path
) -> None:
    newer = programs.parent.parent / "newer" / "bin"
    shutil.copytree(programs, newer)
    runner.answer(str(programs), "postgres (PostgreSQL) 16.14")
    runner.answer(str(newer), "postgres (PostgreSQL) 18.1")
    runner.answer("--version", "postgres (PostgreSQL) 15.8")  # this machine's own, if it has any
    files = {
        "compose.yaml": COMPOSE.replace("postgres:16-alpine", "postgres:18"),
        ".invoke-stack/embedded/pg/data/PG_VERSION": "16\n",
    }
    environ = {"PATH": f"{newer}:{programs}"}
    patient = examine(files, settings={"engine": "embedded"}, environ=environ)

    pg, _ = embedded.services(patient)

    assert (pg.state, pg.message) == (
        "warning",
        "runs on 16.14: its data here is of version 16, the image asks for 18",
    )
    assert "db.backup" in pg.fix


def test_data_whose_programs_are_not_here_any_more_is_an_error(
    examine: Examine, runner: FakeRunner, programs: Path
) -> None:
    runner.answer("--version", "postgres (PostgreSQL) 18.1")
    settings = {"engine": "embedded", "embedded": {"postgres": str(programs)}}
    files = {"compose.yaml": COMPOSE, ".invoke-stack/embedded/pg/data/PG_VERSION": "16\n"}

    pg, _ = embedded.services(examine(files, settings=settings))

    assert pg.state == "error"
    assert "the data here is of version 16" in pg.message


def test_a_service_whose_programs_are_missing_is_an_error(examine: Examine) -> None:
    settings = {"engine": "embedded", "embedded": {"postgres": "nowhere"}}

    pg, _ = embedded.services(examine({"compose.yaml": COMPOSE}, settings=settings))

    assert (pg.state, pg.message) == ("error", "no postgres in nowhere")
    assert pg.fix


def test_outside_a_stack_no_service_is_told(examine: Examine) -> None:
    assert not list(embedded.services(examine(settings={"engine": "embedded"})))

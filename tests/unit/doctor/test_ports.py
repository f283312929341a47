from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke_stack.doctor import ports

if TYPE_CHECKING:
    from conftest import Examine, FakeRunner


def test_a_number_that_is_no_port_is_told_without_an_engine(
    examine: Examine, runner: FakeRunner, tmp_path: Path
) -> None:
    runner.answer("config", '{"name":"shop","services":{"web":{"ports":["70000:80"]}}}')

    (found,) = ports.free(examine({"compose.yaml": "services: {}\n"}))

    assert (found.rule, found.state, found.subject) == ("DOC-PORTS", "error", "web")
    assert found.message == "there is no port 70000"


def test_outside_a_project_no_port_is_wanted(examine: Examine) -> None:
    assert not list(ports.free(examine()))

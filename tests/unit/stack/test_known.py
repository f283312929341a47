from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack import events
from invoke_stack.compose.model import Model
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.stack import known, state

MakeProject = Callable[..., Project]
FILES = {"docker/compose.yaml": "services: {}"}
BROKEN = "validating /x/compose.yaml: services must be a mapping"


def test_the_files_tell_the_name_and_the_folder(
    make_project: MakeProject, runner: Any, tmp_path: Path
) -> None:
    runner.answer("config", json.dumps({"name": "shop", "services": {"web": {}}}))

    found = known.find(make_project(files=FILES))

    assert (found.name, found.folder) == ("shop", tmp_path / "docker")
    assert list(found.model.services) == ["web"]
    assert found.require_declared().name == "shop"


def test_the_record_tells_them_when_the_files_are_broken(
    make_project: MakeProject, runner: Any, tmp_path: Path
) -> None:
    project = make_project(files=FILES)
    state.remember(project, name="shop", mode="dev", folder=tmp_path / "docker")
    runner.answer("config", stderr=BROKEN, code=15)
    said: list[events.Event] = []

    found = known.find(project, said.append)

    assert found == known.Known("shop", tmp_path / "docker", Model("shop", {}), None)
    (warning,) = said
    assert isinstance(warning, events.Warned)
    assert "services must be a mapping" in warning.text
    assert warning.hint == "going on with the stack that is up: shop"
    with pytest.raises(UsageError, match="shop: this needs the compose files"):
        found.require_declared()


def test_broken_files_of_a_stack_that_never_ran_are_the_error(
    make_project: MakeProject, runner: Any
) -> None:
    runner.answer("config", stderr=BROKEN, code=15)

    with pytest.raises(UsageError) as caught:
        known.find(make_project(files=FILES))

    assert str(caught.value) == ("docker/compose.yaml: /x/compose.yaml: services must be a mapping")

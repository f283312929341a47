"""Which migration tool it is: the setting, else the one that recognises the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database.migrating import Development, Place, State
from invoke_stack.errors import UsageError
from invoke_stack.events import Report
from invoke_stack.migrations import tools
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import DbSettings, Settings


class Own:
    """A tool of a project's own, with nothing but what the protocol asks for."""

    name = "own"

    def recognises(self, project: Project) -> bool:
        return False

    def state(self, project: Project, place: Place, report: Report, *, quick: bool) -> State:
        return State("own", pending=("1",))

    def deploy(self, project: Project, place: Place, report: Report) -> None: ...

    def develop(
        self, project: Project, place: Place, request: Development, report: Report
    ) -> None: ...

    def seed(self, project: Project, place: Place, report: Report) -> bool:
        return True

    def generate(self, project: Project, place: Place, report: Report) -> None: ...


def project(root: Path, tool: Any = "") -> Project:
    return Project(root, Settings(db=DbSettings(tool=tool)), SystemRunner({}), {})


def test_a_prisma_schema_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "prisma").mkdir()
    (tmp_path / "prisma" / "schema.prisma").touch()
    (tmp_path / "package.json").write_text('{"devDependencies": {"prisma": "7"}}')
    assert tools.find(project(tmp_path)).name == "prisma"


def test_a_project_without_migrations_is_told_what_is_supported(tmp_path: Path) -> None:
    assert tools.known(project(tmp_path)) is None
    with pytest.raises(UsageError) as caught:
        tools.find(project(tmp_path))
    assert "no migrations found here" in caught.value.message
    assert "prisma" in caught.value.hint
    assert "stack.db.tool" in caught.value.hint


def test_the_setting_takes_a_name_an_object_a_class_and_a_path(tmp_path: Path) -> None:
    assert tools.find(project(tmp_path, "prisma")).name == "prisma"
    assert tools.find(project(tmp_path, Own())).name == "own"
    assert tools.find(project(tmp_path, Own)).name == "own"
    path = "invoke_stack.prisma.tool:Prisma"
    assert tools.find(project(tmp_path, path)).name == "prisma"


@pytest.mark.parametrize("tool", ["nowhere", "nowhere:Tool", "json:dumps", 7])
def test_what_is_no_tool_is_an_error_of_the_setting(tmp_path: Path, tool: Any) -> None:
    with pytest.raises(UsageError) as caught:
        tools.find(project(tmp_path, tool))
    assert caught.value.where == "stack.db.tool"

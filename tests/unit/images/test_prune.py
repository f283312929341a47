from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.images import prune, record
from invoke_stack.project import Project

MakeProject = Callable[..., Project]

MADE = "2026-01-01T00:00:05.123456789Z"
BEGAN = 1767225600.0  # 2026-01-01T00:00:00Z


class Engine:
    """An engine with some records of a build cache."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = records

    def build_cache(self) -> tuple[dict[str, Any], ...]:
        return self.records


def entry(**changed: Any) -> dict[str, Any]:
    plain = {
        "ID": "a",
        "Description": "mount / from exec /bin/sh -c npm ci",
        "InUse": False,
        "Shared": False,
        "Size": 7,
        "CreatedAt": MADE,
    }
    return plain | changed


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"Description": "[web deps 2/3] COPY a b"}, True),
        ({"InUse": True}, False),
        ({"Shared": True}, False),  # an image uses it
        ({"Description": "mount / from exec /bin/sh -c yarn"}, False),
        ({"Description": "local source for context"}, False),
        ({"CreatedAt": "2026-01-01T01:00:00Z"}, False),  # made by somebody else's build
        ({"CreatedAt": "soon"}, False),
    ],
)
def test_a_record_is_ours_when_one_of_our_builds_made_it(
    make_project: MakeProject,
    changed: dict[str, Any],
    ours: bool,  # noqa: FBT001 - a table
) -> None:
    project = make_project()
    record.remember(project, "dev", [], ["RUN npm ci", "COPY a b"], (BEGAN, BEGAN + 10))

    found = list(prune.cached(project, Engine(entry(**changed))))  # type: ignore[arg-type]

    assert [each.id for each in found] == (["a"] if ours else [])


def test_children_go_before_what_they_are_made_from(make_project: MakeProject) -> None:
    project = make_project()
    record.remember(project, "dev", [], ["RUN npm ci"], (BEGAN, BEGAN + 10))
    later = entry(ID="b", CreatedAt="2026-01-01T00:00:06Z")

    found = list(prune.cached(project, Engine(entry(), later)))  # type: ignore[arg-type]

    assert [each.id for each in found] == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("mount / from exec /bin/sh -c npm  ci", "RUN npm  ci"),
        ("mount / from exec node a.js", "RUN node a.js"),
        ("[deps 2/3] WORKDIR /app", "WORKDIR /app"),
        ("pulled from docker.io", "pulled from docker.io"),
    ],
)
def test_descriptions_of_records(text: str, instruction: str) -> None:
    assert prune.described(text) == instruction


def test_nothing_else_is_ever_removed() -> None:
    assert prune.remove_image("sha256:1").argv == ("docker", "image", "rm", "sha256:1")
    assert prune.remove_record("a").argv == (
        *("docker", "buildx", "prune", "--force", "--filter", "id=a"),
    )

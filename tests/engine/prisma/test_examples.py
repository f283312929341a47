"""The examples migrate, seed and report their status with no settings at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from prisma_projects import Kit
    from stacks import Project

NOTE = "20260101000000_note"


@pytest.mark.parametrize(
    ("layout", "service", "package", "version"),
    [
        ("hybrid", "postgres", ".", "7"),
        ("split", "db", "backend", "6"),
        ("backend", "db", ".", "7"),  # a workspace: its packages use what the root installed
    ],
)
def test_an_example_migrates_seeds_and_is_up_to_date(
    kit: Kit,
    project: Callable[..., Project],
    layout: str,
    service: str,
    package: str,
    version: str,
) -> None:
    example = project(layout)
    example.environ.update(kit.environ)
    (example.folder / package / "node_modules").symlink_to(kit.modules[version])

    up = example.up("-s", service)
    assert "1 migration is pending" in up.stderr
    assert "inv db.migrate" in up.stderr

    assert example.inv("db.migrate", "--json").ok().document["applied"] == [NOTE]
    for _ in range(2):
        assert "seeded" in example.inv("db.seed").ok().stderr
    assert example.inv("db.status").ok().stdout == "up to date\n"
    assert "pending" not in example.up("-s", service).stderr

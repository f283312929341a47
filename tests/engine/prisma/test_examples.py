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


def test_selfhosted_shares_its_journal_with_the_container_that_migrates_at_its_start(
    project: Callable[..., Project],
) -> None:
    example = project("selfhosted")
    example.up()
    assert example.inv("db.status").ok().stdout == "up to date\n"

    example.write("migrations/0003_more.sql", "ALTER TABLE note ADD COLUMN more text;\n")
    assert example.inv("db.status", "--json").document["pending"] == ["0003_more"]
    assert example.inv("db.migrate").code == 4
    done = example.inv("db.migrate", "--yes", "--json").ok().document
    assert done["applied"] == ["0003_more"]
    assert (example.folder / done["backup"]).is_file()
    assert example.inv("db.seed").code == 4
    example.inv("db.seed", "--yes").ok()
    assert example.inv("db.status").code == 0
    example.inv("stack.restart", "-s", "app").ok()
    example.up()

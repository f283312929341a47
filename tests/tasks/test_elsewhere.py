"""A database elsewhere needs no engine, whatever the stack's own says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Stage

SERVICES: dict[str, Any] = {"pg": {"image": "postgres:16"}}
PROGRAM = '#!/bin/sh\necho "$(basename "$0") asks $PGHOST"\n'


@pytest.fixture
def left(stage: Stage) -> Stage:
    """A stack that last ran on Docker, which is stopped now, on a machine with clients."""
    stage.stack(SERVICES)
    (stage.root / ".env").write_text("FAR_URL=postgresql://me:canary-pw@far.example:5432/shop\n")
    (stage.root / ".invoke-stack").mkdir()
    record = {"project": "shop", "mode": "dev", "engine": "docker", "folder": str(stage.root)}
    (stage.root / ".invoke-stack/stack.json").write_text(json.dumps(record))
    for name in ("psql", "pg_dump", "pg_restore"):
        (stage.bin / name).write_text(PROGRAM)
        (stage.bin / name).chmod(0o755)
    stage.environ["DOCKER_HOST"] = f"unix://{stage.bin}/none.sock"
    return stage


def test_the_stacks_own_is_refused_while_docker_is_stopped(left: Stage) -> None:
    ran = left.inv("db.shell", "-c", "SELECT 1")

    assert ran.code == 4
    assert "this stack last ran on Docker" in ran.err


def test_another_ones_is_worked_on_all_the_same(left: Stage) -> None:
    ran = left.inv("db.shell", "-c", "SELECT 1", "--target", "FAR_URL")

    assert (ran.code, ran.out) == (0, "psql asks far.example\n"), ran.err

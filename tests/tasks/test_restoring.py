"""`db.restore`, as a user meets it before any server is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

NAMES = ("app-20261120T100000Z-pg16.dump", "app-20261121T100000Z-pg16.dump")


@pytest.fixture
def stopped(stage: Stage, engine: FakeEngine) -> Stage:
    """Two backups, and a database that does not run."""
    stage.stack({"db": {"image": "postgres:16"}})
    engine.container("db", state="exited", folder=str(stage.root), image="postgres:16")
    for name in NAMES:
        stage.write(f"backups/app/{name}", "x")
    return stage


@pytest.mark.parametrize("word", ["missing.dump", "./missing.sql", "3", "nope"])
def test_a_name_that_no_file_has_is_told_before_the_database_that_is_stopped(
    stopped: Stage, word: str
) -> None:
    ran = stopped.inv("db.restore", "--file", word)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: backups: no backup {word!r}\n  hint: see them with: inv db.backups\n"
    )


def test_so_is_a_folder_that_is_not_there(stopped: Stage) -> None:
    ran = stopped.inv("db.restore", "--file", "1", "--from", "/nope")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: --from: no such folder: /nope\n")


@pytest.mark.parametrize(
    "word",
    ["latest", "1", NAMES[0], "app-", f"./backups/app/{NAMES[1]}", f"backups/app/{NAMES[0]}"],
)
def test_which_backup_is_meant_the_database_that_is_stopped_would_have_to_tell(
    stopped: Stage, word: str
) -> None:
    ran = stopped.inv("db.restore", "--file", word)

    assert (ran.code, ran.out) == (6, "")
    assert ran.err == (
        "error: service db: is not running (exited)\n  hint: start it with: inv stack.up\n"
    )

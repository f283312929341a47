from __future__ import annotations

import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from tests.unit.scaffold.conftest import Scene

DATABASE = """\
name: shop
services:
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
"""


def test_a_dry_run_tells_and_changes_nothing(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n"})
    scene.runner.dry = True
    before = scene.snapshot()
    (change,) = scene.init(fix=True).changes

    assert scene.snapshot() == before
    assert not (scene.root / ".invoke-stack").exists()
    assert (change.file, change.before, change.added) == (".env", None, ("A",))
    assert scene.said == []  # the result is the plan, told once


def test_a_link_is_not_written_through(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n", "other": "keep\n"})
    (scene.root / ".env").symlink_to("other")

    with pytest.raises(UsageError, match="is a link"):
        scene.init()

    assert scene.read("other") == "keep\n"


def test_what_a_killed_run_left_is_swept_away(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n", ".env.0a1b2c3d.partial": "half", ".env.partial": "mine"})
    scene.init()

    assert not (scene.root / ".env.0a1b2c3d.partial").exists()
    assert (scene.root / ".env.partial").exists()


def test_missing_ignore_lines_are_told_and_added_on_request(
    scene: Scene, git: Callable[..., None]
) -> None:
    build = "services:\n  web:\n    build: .\n"
    scene.write({".env.example": "JWT_SECRET=\n", "compose.yaml": build, ".gitignore": "dist\r\n"})
    git(scene.runner)

    told = scene.init()
    assert [(each.file, each.line) for each in told.missing] == [
        (".gitignore", ".env"),
        (".dockerignore", "**/.env"),
    ]
    assert scene.read(".gitignore") == "dist\r\n"

    scene.init(fix=True)
    assert scene.read(".gitignore") == "dist\r\n.env\r\n"
    assert scene.read(".dockerignore") == "**/.env\n"
    assert stat.S_IMODE((scene.root / ".dockerignore").stat().st_mode) == 0o644
    assert [each.file for each in scene.init().missing] == [".gitignore"]  # git is a fake


def test_a_file_that_others_can_read_is_closed_on_request(scene: Scene) -> None:
    scene.write({".env.example": "JWT_SECRET=\n", ".env": "JWT_SECRET=x\n"})
    (scene.root / ".env").chmod(0o644)

    assert scene.init().too_open == (".env",)
    scene.init(fix=True)

    assert stat.S_IMODE((scene.root / ".env").stat().st_mode) == 0o600


def test_rotating_replaces_a_secret_wherever_it_stands(scene: Scene) -> None:
    scene.write(
        {
            "compose.yaml": DATABASE,
            ".env.example": "POSTGRES_PASSWORD=\nJWT_SECRET=\n",
            ".env": "POSTGRES_PASSWORD='old' # x\nURL=postgres://a:old@db/a\nJWT_SECRET=kept\n",
            "api/.env.example": "DB_PASSWORD=\n",
            "api/.env": "DB_PASSWORD=old\n",
        }
    )
    scene.init("POSTGRES_PASSWORD")

    assert scene.read(".env") == (
        "POSTGRES_PASSWORD='new0hex' # x\nURL=postgres://a:new0hex@db/a\nJWT_SECRET=kept\n"
    )
    assert scene.read("api/.env") == "DB_PASSWORD=new0hex\n"
    assert "the database keeps the old password" in scene.asked[0]
    assert "old" not in scene.asked[0].replace("old password", "").replace("The old value", "")


def test_rotating_waits_for_a_yes(scene: Scene) -> None:
    scene.write({".env.example": "JWT_SECRET=\n", ".env": "JWT_SECRET=x\n"})

    with pytest.raises(AssertionError):
        scene.init("JWT_SECRET", agree=False)

    assert scene.read(".env") == "JWT_SECRET=x\n"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("JWT_SECERT", "--rotate: no such key in a template: JWT_SECERT"),
        ("NAME", "--rotate: NAME is not a secret that is generated here"),
        ("JWT_SECRET", "JWT_SECRET: no env file has a value for it"),
    ],
)
def test_rotating_what_cannot_be_rotated_is_refused(scene: Scene, key: str, message: str) -> None:
    scene.write({".env.example": "JWT_SECRET=\nNAME=x\n"})

    with pytest.raises(UsageError) as caught:
        scene.init(key)

    assert str(caught.value) == message


def test_syncing_adds_new_keys_commented_out_and_removes_nothing(scene: Scene) -> None:
    scene.write(
        {
            ".env.example": "A=1\n# What for.\n# @required\nB='x\ny'\nJWT_SECRET=\nC=3\n",
            ".env": "A=9\nMINE=1\nC=4\n",
            ".env.local": "JWT_SECRET=z\n",
        }
    )
    (made,) = scene.sync().changes
    assert made.added == ("B",)
    assert scene.read(".env") == "A=9\n# What for.\n# @required\n# B='x\n# y'\nMINE=1\nC=4\n"
    before = scene.snapshot()

    assert scene.sync().changes[0].differs is False
    assert scene.snapshot() == before


def test_syncing_makes_no_file(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n"})

    assert scene.sync().changes == ()
    assert not (scene.root / ".env").exists()


def test_syncing_leaves_out_a_key_without_a_value_of_its_own(scene: Scene) -> None:
    scene.write({".env.example": "A=1\nHOSTNAME\n", ".env": "A=1\n"})

    assert scene.sync().changes[0].added == ()

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from invoke_stack.environment import dotenv, secretgen
from invoke_stack.errors import UsageError
from invoke_stack.scaffold import env

if TYPE_CHECKING:
    from tests.unit.scaffold.conftest import Scene

TEMPLATE = (
    "# Template of .env.\n\n# @type=port\nWEB_PORT=3000\n\n"
    "# Signs sessions.\n# @required @sensitive @generate=hex(32)\nJWT_SECRET=  # keep it\n"
    "# STRIPE_KEY=\nNAME='a b' # why\n"
)
STACK = "name: shop\nservices:\n  web:\n    image: web\n    env_file: [{file}]\n"


def test_a_file_is_made_with_comments_order_and_a_secret(scene: Scene) -> None:
    scene.write({".env.example": TEMPLATE.replace("=  # keep it", "=")})

    (made,) = scene.init().changes

    assert scene.read(".env") == TEMPLATE.replace("=  # keep it", "=new0hex")
    assert stat.S_IMODE((scene.root / ".env").stat().st_mode) == 0o600
    assert (made.added, made.generated) == (("WEB_PORT", "JWT_SECRET", "NAME"), ("JWT_SECRET",))


def test_a_second_run_changes_no_byte_and_no_time_stamp(scene: Scene) -> None:
    scene.write({".env.example": TEMPLATE, "backend/.env.example": "DB_PASSWORD=\n"})
    scene.init()
    before = scene.snapshot()

    again = scene.init()

    assert scene.snapshot() == before
    assert not any(each.differs for each in again.changes)


def test_a_comment_behind_an_empty_value_stays_behind_the_secret(scene: Scene) -> None:
    scene.write({".env.example": "JWT_SECRET=  # keep it\n"})
    scene.init()

    assert scene.read(".env") == "JWT_SECRET=new0hex  # keep it\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay_and_a_byte_order_mark_goes(scene: Scene, newline: str) -> None:
    text = "# Ä\nA=1\nJWT_SECRET=\nB='x y'\n".replace("\n", newline)
    scene.write({".env.example": "\ufeff" + text})
    scene.init()

    assert scene.read(".env") == text.replace("SECRET=", "SECRET=new0hex")


def test_a_template_with_a_line_that_readers_refuse_makes_nothing(scene: Scene) -> None:
    scene.write({".env.example": "A=1\nB='it's'\n"})

    with pytest.raises(UsageError) as caught:
        scene.init()

    assert caught.value.where == ".env.example:2"
    assert not (scene.root / ".env").exists()


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        (
            "NAME=mine\n",
            (
                "# @type=port\nWEB_PORT=3000\n\n# Signs sessions.\n"
                "# @required @sensitive @generate=hex(32)\nJWT_SECRET=new0hex\nNAME=mine\n"
            ),
        ),
        (
            "# mine\nWEB_PORT=1\nOTHER=2",
            (
                "# mine\nWEB_PORT=1\n\n# Signs sessions.\n"
                "# @required @sensitive @generate=hex(32)\nJWT_SECRET=new0hex\n"
                "NAME='a b' # why\nOTHER=2"
            ),
        ),
        (
            "WEB_PORT=1\r\nJWT_SECRET=old\r\n",
            "WEB_PORT=1\r\nJWT_SECRET=old\r\nNAME='a b' # why\r\n",
        ),
    ],
)
def test_a_file_that_is_there_gets_missing_keys_beside_their_neighbours(
    scene: Scene, existing: str, expected: str
) -> None:
    scene.write({".env.example": TEMPLATE.replace("=  # keep it", "="), ".env": existing})
    scene.init()

    assert scene.read(".env") == expected
    assert scene.init().changes[0].differs is False


def test_a_value_is_never_overwritten_and_an_empty_secret_is_filled(scene: Scene) -> None:
    scene.write(
        {".env.example": "JWT_SECRET=\nAPP_KEY=\nC=\n", ".env": "JWT_SECRET=weak\nAPP_KEY=''\nC=\n"}
    )

    (made,) = scene.init().changes

    assert scene.read(".env") == "JWT_SECRET=weak\nAPP_KEY='new0hex'\nC=\n"
    assert made.filled == ("APP_KEY",)


def test_a_key_that_stands_commented_out_is_not_added_again(scene: Scene) -> None:
    scene.write({".env.example": "A=1\nB=2\n", ".env": "A=1\n# B=2\n"})
    scene.init()

    assert scene.read(".env") == "A=1\n# B=2\n"


def test_required_keys_that_a_person_has_to_fill_in_are_named(scene: Scene) -> None:
    scene.write({".env.example": "# @required\nURL=\n# @required\nB=x\n# @required\nC=CHANGE_ME\n"})

    assert scene.init().changes[0].open == ("URL", "C")


def test_keys_that_come_without_a_value_are_named_once(scene: Scene) -> None:
    scene.write({".env.example": "A=1\nSTRIPE_SECRET_KEY=\n# @required\nURL=\nJWT_SECRET=\n"})

    assert scene.init().changes[0].empty == ("STRIPE_SECRET_KEY",)
    assert scene.init().changes[0].empty == ()


def test_a_leftover_template_makes_the_one_file_that_a_service_names(scene: Scene) -> None:
    scene.write(
        {
            "docker/docker-compose.yml": STACK.format(file="../.env.local"),
            "docker/.env.docker.example": "A=1\n",
        }
    )
    scene.init()
    scene.write({"docker/.env.docker.example": "A=1\nB=2\n"})
    scene.init()

    assert scene.read(".env.local") == "A=1\nB=2\n"
    assert not (scene.root / "docker/.env.docker").exists()


def test_a_lone_local_file_gets_the_keys_of_the_plain_template(scene: Scene) -> None:
    scene.write({".env.example": "A=1\nB=2\n", ".env.local": "A=9\n"})
    scene.init()

    assert scene.read(".env.local") == "A=9\nB=2\n"
    assert not (scene.root / ".env").exists()


def test_the_plain_template_makes_the_local_file_when_only_that_is_named(scene: Scene) -> None:
    scene.write(
        {"docker-compose.yml": STACK.format(file=".env.local"), ".env.example": "A=1\nB=2\n"}
    )
    scene.init()
    scene.init()

    assert scene.read(".env.local") == "A=1\nB=2\n"
    assert not (scene.root / ".env").exists()


def test_the_plain_template_makes_the_plain_file_when_both_are_named(scene: Scene) -> None:
    scene.write(
        {"docker-compose.yml": STACK.format(file=".env, .env.local"), ".env.example": "A=1\n"}
    )

    assert [each.file for each in scene.init().changes] == [".env"]


def test_every_folder_has_its_own_template(scene: Scene) -> None:
    scene.write({"backend/.env.example": "A=1\n", "frontend/.env.local.example": "B=2\n"})

    assert [each.file for each in scene.init().changes] == ["backend/.env", "frontend/.env.local"]


def test_a_mode_without_a_template_names_those_of_others(scene: Scene) -> None:
    scene.write({".env.production.example": "A=1\n"})

    with pytest.raises(UsageError) as caught:
        scene.init()

    assert caught.value.hint == "of other modes: .env.production.example"


def test_every_file_that_is_made_is_one_that_our_own_reader_takes(scene: Scene) -> None:
    kinds = secretgen.KINDS
    text = "".join(f"# @generate={kind}\nKEY_{kind.upper()}=\n" for kind in kinds)
    scene.write({".env.example": text})
    env.init(scene.project(), env.Request(), print, scene.said.append)

    found = dotenv.parse(scene.read(".env").encode(), ".env")

    assert len(found) == len(kinds)
    assert all(each.template for each in found)

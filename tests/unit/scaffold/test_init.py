from __future__ import annotations

import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from invoke_stack import events
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


def test_one_secret_in_two_files_and_inside_a_url_is_generated_once(scene: Scene) -> None:
    scene.write(
        {
            ".env.example": "POSTGRES_PASSWORD=change_me_pg\nJWT_SECRET=\n"
            "DATABASE_URL=postgresql://app:change_me_pg@db:5432/app?x=${JWT_SECRET}\n",
            "backend/.env.example": 'DATABASE_URL="postgres://app:change_me_pg@localhost/app" # x\n'
            "DB_PASSWORD=change_me_pg\nJWT_SECRET=\n",
        }
    )
    scene.init()

    assert scene.read(".env") == (
        "POSTGRES_PASSWORD=new0hex\nJWT_SECRET=new1hex\n"
        "DATABASE_URL=postgresql://app:new0hex@db:5432/app?x=${JWT_SECRET}\n"
    )
    assert scene.read("backend/.env") == (
        'DATABASE_URL="postgres://app:new0hex@localhost/app" # x\n'
        "DB_PASSWORD=new0hex\nJWT_SECRET=new1hex\n"
    )


def test_a_reference_to_a_secret_stays_a_reference(scene: Scene) -> None:
    line = "DATABASE_URL=postgresql://app:${POSTGRES_PASSWORD}@db/app\n"
    scene.write({".env.example": f"POSTGRES_PASSWORD=\n{line}"})
    scene.init()

    assert scene.read(".env") == f"POSTGRES_PASSWORD=new0hex\n{line}"


def test_secrets_that_share_a_placeholder_are_different_ones(scene: Scene) -> None:
    scene.write(
        {
            ".env.example": "JWT_SECRET=changeme\nSESSION_SECRET=changeme\nDB_PASSWORD=changeme\n"
            "DATABASE_URL=postgres://a:changeme@db/a\nREDIS_URL=redis://:changeme@r\n"
        }
    )
    scene.init()

    assert scene.read(".env") == (
        "JWT_SECRET=new0hex\nSESSION_SECRET=new1hex\nDB_PASSWORD=new2hex\n"
        "DATABASE_URL=postgres://a:new2hex@db/a\nREDIS_URL=redis://:changeme@r\n"
    )


def test_a_secret_that_one_file_has_already_goes_into_the_other(scene: Scene) -> None:
    scene.write(
        {
            ".env.example": "POSTGRES_PASSWORD=\n",
            ".env": "POSTGRES_PASSWORD=known\n",
            "api/.env.example": "POSTGRES_PASSWORD=\nDATABASE_URL=postgres://a:<password>@db/a\n",
        }
    )
    scene.init()

    assert (
        scene.read("api/.env") == "POSTGRES_PASSWORD=known\nDATABASE_URL=postgres://a:known@db/a\n"
    )


def test_a_password_known_from_a_url_is_not_made_anew(scene: Scene) -> None:
    url = "DATABASE_URL=postgres://a:known@db/a\n"
    scene.write({".env.example": f"POSTGRES_PASSWORD=\n{url}", ".env": url})
    scene.init()

    assert "POSTGRES_PASSWORD=known\n" in scene.read(".env")


def test_production_and_development_do_not_share_a_secret(scene: Scene) -> None:
    scene.write({".env.example": "JWT_SECRET=\n", ".env.production.example": "JWT_SECRET=\n"})
    scene.init()
    assert not (scene.root / ".env.production").exists()

    scene.init(mode="prod")

    assert scene.read(".env") == "JWT_SECRET=new0hex\n"
    assert scene.read(".env.production") == "JWT_SECRET=new1hex\n"


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


def test_every_folder_has_its_own_template(scene: Scene) -> None:
    scene.write({"backend/.env.example": "A=1\n", "frontend/.env.local.example": "B=2\n"})

    assert [each.file for each in scene.init().changes] == ["backend/.env", "frontend/.env.local"]


def test_a_mode_without_a_template_names_those_of_others(scene: Scene) -> None:
    scene.write({".env.production.example": "A=1\n"})

    with pytest.raises(UsageError) as caught:
        scene.init()

    assert caught.value.hint == "of other modes: .env.production.example"


def test_the_password_of_a_database_that_has_data_is_not_made_anew(scene: Scene) -> None:
    text = "POSTGRES_PASSWORD=\nURL=postgres://a:changeme@db/a\nJWT_SECRET=\n"
    scene.write({"compose.yaml": DATABASE, ".env.example": text})
    scene.volumes = ("shop_data",)
    result = scene.init()

    (warned,) = [each for each in scene.said if isinstance(each, events.Warned)]
    assert "volume shop_data exists already" in warned.text
    assert "write that password into .env" in warned.hint
    assert scene.read(".env") == text.replace("JWT_SECRET=", "JWT_SECRET=new0hex")
    assert result.changes[0].generated == ("JWT_SECRET",)

    scene.volumes = ()
    scene.init()
    assert scene.read(".env").startswith("POSTGRES_PASSWORD=new1hex\nURL=postgres://a:changeme@")


def test_the_password_that_is_set_already_needs_no_engine(scene: Scene) -> None:
    scene.write(
        {
            "compose.yaml": DATABASE,
            ".env.example": "POSTGRES_PASSWORD=\nB=1\n",
            ".env": "POSTGRES_PASSWORD=x\n",
        }
    )

    def volumes(*_: object) -> tuple[str, ...]:
        raise AssertionError

    env.init(scene.project(), env.Request(), print, scene.said.append, env.World(volumes))

    assert scene.read(".env") == "POSTGRES_PASSWORD=x\nB=1\n"


def test_a_dry_run_tells_and_changes_nothing(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n"})
    scene.runner.dry = True
    before = scene.snapshot()
    scene.init(fix=True)

    assert scene.snapshot() == before
    assert not (scene.root / ".invoke-stack").exists()
    assert scene.said[0] == events.Planned("create .env from .env.example")


def test_a_link_is_not_written_through(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n", "other": "keep\n"})
    (scene.root / ".env").symlink_to("other")

    with pytest.raises(UsageError, match="is a link"):
        scene.init()

    assert scene.read("other") == "keep\n"


def test_what_a_killed_run_left_is_swept_away(scene: Scene) -> None:
    scene.write({".env.example": "A=1\n", "..env.0a1b2c3d.partial": "half", ".env.partial": "mine"})
    scene.init()

    assert not (scene.root / "..env.0a1b2c3d.partial").exists()
    assert (scene.root / ".env.partial").exists()


def test_every_file_that_is_made_is_one_that_our_own_reader_takes(scene: Scene) -> None:
    kinds = secretgen.KINDS
    text = "".join(f"# @generate={kind}\nKEY_{kind.upper()}=\n" for kind in kinds)
    scene.write({".env.example": text})
    env.init(scene.project(), env.Request(), print, scene.said.append)

    found = dotenv.parse(scene.read(".env").encode(), ".env")

    assert len(found) == len(kinds)
    assert all(each.template for each in found)


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

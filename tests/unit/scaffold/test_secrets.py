from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack import events
from invoke_stack.scaffold import env

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

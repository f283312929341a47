from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoke_stack.environment import dotenv, specs
from invoke_stack.errors import UsageError
from invoke_stack.scaffold import proposal

if TYPE_CHECKING:
    from tests.unit.scaffold.conftest import Scene

STACK = """\
services:
  db:
    image: postgres:16
    environment:
      POSTGRES_USER: ${POSTGRES_USER:-app}
      POSTGRES_DB: ${POSTGRES_DB:-app}
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}
    ports: ["${POSTGRES_PORT:-5432}:5432"]
  web:
    image: web
    environment:
      HOME_DIR: ${HOME}
      TITLE: ${TITLE:-Our shop}
      API_KEY: ${MAPS_API_KEY}
      DATABASE_URL: ${DATABASE_URL:-postgresql://${POSTGRES_USER:-app}@db/app}
"""
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'


def test_a_stack_proposes_its_variables_with_marks(scene: Scene) -> None:
    scene.write({"compose.yaml": STACK})

    text = proposal.proposed(scene.project())

    found = specs.specs(text, ".env.example")
    assert list(found) == [
        "POSTGRES_USER",
        "POSTGRES_DB",
        "POSTGRES_PASSWORD",
        "POSTGRES_PORT",
        "TITLE",
        "MAPS_API_KEY",
    ]
    assert "# @required @sensitive @generate=hex(24)\nPOSTGRES_PASSWORD=\n" in text
    assert "# @type=port\nPOSTGRES_PORT=5432\n" in text
    assert "TITLE='Our shop'\n" in text
    assert "# DATABASE_URL=\n" in text
    assert found["MAPS_API_KEY"].generate is None
    dotenv.parse(text.encode(), ".env.example")


def test_a_prisma_schema_proposes_its_url_out_of_the_parts(scene: Scene) -> None:
    scene.write({"compose.yaml": STACK, "packages/db/prisma/schema.prisma": SCHEMA})

    text = proposal.proposed(scene.project())

    assert text.endswith(
        "# packages/db/prisma/schema.prisma\n# @required @sensitive @type=url\n"
        "DATABASE_URL=postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}"
        "@localhost:${POSTGRES_PORT}/${POSTGRES_DB}\n"
    )


def test_a_schema_alone_proposes_a_key_to_fill_in(scene: Scene) -> None:
    scene.write({"prisma/schema.prisma": SCHEMA})

    text = proposal.proposed(scene.project())

    assert text.endswith("app\nDATABASE_URL=\n")


def test_a_written_proposal_is_a_template_like_any_other(scene: Scene) -> None:
    scene.write({"compose.yaml": STACK, "prisma/schema.prisma": SCHEMA})
    text = proposal.proposed(scene.project())
    path = proposal.write(scene.project(), text, scene.said.append)
    scene.init()

    assert path.stat().st_mode & 0o777 == 0o644
    assert "POSTGRES_PASSWORD=new0hex\n" in scene.read(".env")
    assert proposal.proposed(scene.project()) == ""


def test_a_project_with_any_template_gets_no_proposal(scene: Scene) -> None:
    scene.write({"compose.yaml": STACK, ".env.production.example": "A=1\n"})

    assert proposal.proposed(scene.project()) == ""


def test_nothing_to_propose_from_is_an_error(scene: Scene) -> None:
    with pytest.raises(UsageError) as caught:
        proposal.proposed(scene.project())

    assert caught.value.hint == "write .env.example with one NAME=value per line"

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack.doctor import production

if TYPE_CHECKING:
    from conftest import Examine

BLUEPRINT = """
services:
  - {type: web, name: shop, runtime: node, buildCommand: npm ci, startCommand: npm start}
databases:
  - {name: shop-db}
"""


def test_a_blueprint_is_counted(examine: Examine) -> None:
    (found,) = production.render(examine({"render.yaml": BLUEPRINT}))

    assert (found.state, found.subject) == ("ok", "render.yaml")
    assert found.message.startswith("2 services and databases")


def test_a_broken_blueprint_is_an_error_with_its_line(examine: Examine) -> None:
    (found,) = production.render(examine({"render.yaml": "services:\n  - {type: web\n"}))

    assert (found.state, found.rule) == ("error", "DOC-PRODUCTION")
    assert found.where[0].file == "render.yaml"


def test_a_project_without_a_blueprint_is_told_nothing(examine: Examine) -> None:
    assert not list(production.render(examine()))

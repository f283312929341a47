from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.completion import values
from invoke_stack.database import forms
from invoke_stack.environment import shown
from invoke_stack.parity.catalogue import RULES
from invoke_stack.project import Project

Make = Callable[..., Project]
COMPOSE = """\
name: shop
x-shared: &shared
  restart: always
services:
  # db is commented: out
  web:
    image: "shop:${TAG:-latest}"
    environment:
      URL: http://$HOST:$$NOT
  "db":
    image: postgres
  cache.main : {image: redis}
volumes:
  data:
"""


def test_services_are_the_names_below_services(make_project: Make) -> None:
    project = make_project(files={"compose.yaml": COMPOSE})

    assert values.services(project) == ("cache.main", "db", "web")


def test_the_mode_chooses_whose_services_are_offered(make_project: Make) -> None:
    files = {
        "compose.yaml": "services:\n  web: {}\n",
        "compose.dev.yaml": "services:\n    mail: {}\n    web: {}\n",
        "compose.prod.yaml": "services:\n  proxy: {}\n",
    }

    assert values.services(make_project(files=files)) == ("mail", "web")
    assert values.services(make_project(mode="prod")) == ("proxy", "web")


@pytest.mark.parametrize(
    "text", ["", "services:", "services: {}", "services: [", "\tservices:\n", "- services\n"]
)
def test_what_cannot_be_told_at_a_glance_has_no_names(text: str) -> None:
    assert list(values.sections(text, "services")) == []


def test_without_files_nothing_is_offered(make_project: Make) -> None:
    project = make_project()

    for each in (values.services, values.keys, values.url_keys, values.backups, values.snapshots):
        assert each(project) == ()


def test_keys_come_from_env_files_templates_and_compose_files(make_project: Make) -> None:
    project = make_project(
        files={
            "compose.yaml": COMPOSE,
            ".env": "export A=1\nB = 2\nnot a line\n",
            ".env.example": "# A sentence=no key\n# ASIDE=1\nC=\n",
            "other.txt": "D=1\n",
        }
    )

    assert values.keys(project) == ("A", "ASIDE", "B", "C", "HOST", "TAG")


def test_keys_of_urls_are_offered_as_targets(make_project: Make) -> None:
    project = make_project(files={".env": "DATABASE_URL=x\nDIRECT_URL=x\nPORT=1\nURLS=1\n"})

    assert values.url_keys(project) == ("DATABASE_URL", "DIRECT_URL")


def test_backups_are_what_db_backups_lists(make_project: Make) -> None:
    names = ("app/b.dump", "app/a.dump", "app/export.sql", "app/export.sql.json", "top.dump")
    others = ("app/foreign.sql", "app/a.dump.json", "app/.b.dump.partial", "app/deep/c.dump")
    project = make_project(files={f"backups/{name}": "" for name in (*names, *others)})

    assert values.backups(project) == ("latest", "a.dump", "b.dump", "export.sql", "top.dump")


def test_the_folder_of_the_backups_is_the_settings(make_project: Make) -> None:
    project = make_project({"db": {"directory": "var/dumps"}}, files={"var/dumps/x.dump": ""})

    assert values.backups(project) == ("latest", "x.dump")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"snapshots":[{"name":"two"},{"name":"one"},{"x":1},7]}', ("one", "two")),
        ('{"snapshots":{"name":"one"}}', ()),
        ("{", ()),
    ],
)
def test_snapshots_are_those_of_the_last_look(
    make_project: Make, text: str, names: tuple[str, ...]
) -> None:
    assert values.snapshots(make_project(files={".invoke-stack/snapshots.json": text})) == names


def test_every_rule_has_a_page_and_is_offered() -> None:
    assert values.rules() == tuple(sorted(rule.id for rule in RULES))


def test_modes_of_the_projects_own_are_offered(make_project: Make) -> None:
    project = make_project({"modes": {"qa": {"layers": [".env"]}}})

    assert values.known_modes(project) == ("dev", "test", "staging", "prod", "base", "qa")


def test_what_is_no_readable_file_is_left_out(make_project: Make, tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    project = make_project(files={".env.local": "A=1\n", ".env.test": ""})
    (tmp_path / ".env.test").write_bytes(b"\xff\xfe=\nB=1\n")

    assert values.keys(project) == ("A", "B")


def test_choices_are_those_that_the_tasks_take() -> None:
    assert values.formats() == ("text", "json", "sarif", "github", "markdown")
    assert values.severities() == ("error", "warning", "info")
    assert values.shells() == ("bash", "zsh", "fish")
    assert set(values.dump_formats()) == set(forms.FORMS)
    assert {"", *values.views()} == set(shown.VIEWS)

"""`env.explain`: one key and everything that had a say in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.environment.explain import Explained, explain
from invoke_stack.environment.selection import Selection
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

Make = Callable[..., Project]
CONFIG = json.dumps(
    {
        "name": "shop",
        "services": {
            "db": {
                "image": "postgres:16",
                "ports": [{"target": 5432, "published": "5433", "protocol": "tcp"}],
            }
        },
    }
)
FILES = {
    ".env": "DB_PASSWORD=canary-4711\nURL_HOST=db:5432\n",
    ".env.local": "DATABASE_URL=postgresql://app:${DB_PASSWORD}@${URL_HOST}/app\n",
    ".env.development": "DATABASE_URL=other\n",
    "compose.yaml": "services: {}\n",
}


def only(found: tuple[Explained, ...]) -> dict[str, Any]:
    assert len(found) == 1
    return found[0].document(reveal=False)


def test_the_winner_the_shadowed_and_the_references_are_named(make_project: Make) -> None:
    project = make_project(files={k: v for k, v in FILES.items() if k != "compose.yaml"})

    found = only(explain(project, "DATABASE_URL"))

    assert (found["file"], found["line"], found["value"]) == (".env.local", 1, None)
    assert found["shadowed"] == [{"origin": "file", "file": ".env.development", "line": 1}]
    assert [(each["name"], each["line"]) for each in found["references"]] == [
        ("DB_PASSWORD", 1),
        ("URL_HOST", 2),
    ]
    assert "canary" not in json.dumps(found)


def test_both_views_come_from_the_published_ports(make_project: Make, runner: Any) -> None:
    runner.answer("config", CONFIG)
    project = make_project(files=FILES)

    (found,) = explain(project, "DATABASE_URL")

    assert found.host is not None
    assert found.stack is not None
    assert found.host.masked == "postgresql://app:***@localhost:5433/app"
    assert found.stack.masked == "postgresql://app:***@db:5432/app"
    assert found.document(reveal=True)["host"] == "postgresql://app:canary-4711@localhost:5433/app"


def test_without_compose_the_files_are_read_all_the_same(make_project: Make, runner: Any) -> None:
    runner.answer("config", code=1, stderr="docker: 'compose' is not a docker command.")
    stack = "services: {db: {image: postgres, ports: ['5433:5432']}}\n"

    found = only(explain(make_project(files=FILES | {"compose.yaml": stack}), "DATABASE_URL"))

    assert found["notes"] == []
    assert found["host"] is None  # a secret, masked
    (plain,) = explain(make_project(), "DATABASE_URL")
    assert plain.host is not None
    assert plain.host.masked == "postgresql://app:***@localhost:5433/app"


def test_where_compose_refuses_the_files_the_views_are_unknown_and_it_says_why(
    make_project: Make, runner: Any
) -> None:
    runner.answer("config", code=1, stderr="services.web must be a mapping")

    found = only(explain(make_project(files=FILES), "DATABASE_URL"))

    assert (found["host"], found["stack"]) == (None, None)
    assert "unknown" in found["notes"][0]


def test_a_plain_key_needs_no_compose(make_project: Make, runner: Any) -> None:
    found = only(explain(make_project(files=FILES), "URL_HOST"))

    assert found["host"] == found["stack"] == found["value"] == "db:5432"
    assert runner.ran == []


def test_empty_and_not_set_are_told_apart(make_project: Make) -> None:
    project = make_project(files={".env": "EMPTY=\nBARE\n"})

    assert only(explain(project, "EMPTY"))["set"] is True
    assert only(explain(project, "BARE"))["set"] is False


def test_the_process_wins_and_says_so(make_project: Make) -> None:
    found = only(explain(make_project(files={".env": "A=1\n"}, environ={"A": "2"}), "A"))

    assert (found["origin"], found["file"], found["value"]) == ("process", None, "2")
    assert found["shadowed"] == [{"origin": "file", "file": ".env", "line": 1}]


def test_a_key_of_two_folders_is_explained_twice(make_project: Make) -> None:
    project = make_project(files={".env": "A=1\n", "web/.env": "A=2\n"})

    assert [each.subject for each in explain(project, "A")] == [".", "web"]
    assert [each.subject for each in explain(project, "A", Selection(folder="web/"))] == ["web"]


def test_an_unknown_key_suggests_the_nearest(make_project: Make) -> None:
    with pytest.raises(UsageError) as caught:
        explain(make_project(files=FILES), "DATABSE_URL")

    assert caught.value.hint == "did you mean DATABASE_URL?"

"""`stack.down` removes all of this project and nothing else; data only on request."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stacks import Project

COMPOSE = """
services:
  app:
    image: redis:7-alpine
    volumes: ["data:/data", "FOREIGN:/foreign"]
  tool:
    image: redis:7-alpine
    profiles: [dev]
  worker:
    image: redis:7-alpine
    profiles: [staging]
volumes:
  data:
  FOREIGN:
    external: true
"""
DATABASE = """
services:
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-only-for-tests}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U postgres"]
      interval: 5s
volumes:
  data:
"""


@pytest.fixture
def foreign(docker: Callable[..., str]) -> Iterator[str]:
    """A volume that belongs to nobody's Compose project."""
    name = f"it-foreign-{secrets.token_hex(4)}"
    docker("volume", "create", name)
    yield name
    docker("volume", "rm", "--force", name, check=False)


def test_down_covers_every_profile_and_leaves_other_projects_and_foreign_volumes_alone(
    foreign: str, project: Callable[..., Project], docker: Callable[..., str]
) -> None:
    text = COMPOSE.replace("FOREIGN", foreign)
    other = project(compose=text)
    other.up()
    theirs, their_volumes = other.identities(), other.listed("volume", "ls")
    stack = project(compose=text)
    stack.up("--dev")
    stack.up("--mode", "staging", "-s", "worker")
    assert set(stack.containers()) == {"app", "tool", "worker"}

    stack.inv("stack.down", "--prod").ok()
    assert stack.containers() == {}
    assert stack.listed("network", "ls") == []
    assert len(stack.listed("volume", "ls")) == 1

    stack.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    assert stack.listed("volume", "ls") == []
    assert docker("volume", "ls", "--quiet", "--filter", f"name={foreign}") == foreign
    assert other.identities() == theirs
    assert other.listed("volume", "ls") == their_volumes


def test_volumes_without_an_answer_are_refused_and_nothing_changes(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=DATABASE)
    stack.up()
    before, volumes = stack.identities(), stack.listed("volume", "ls")
    result = stack.inv("stack.down", "--volumes")
    assert result.code == 4
    assert f"{stack.name}_data" in result.stderr
    assert "MiB" in result.stderr
    assert "--yes" in result.hint
    assert stack.identities() == before
    assert stack.listed("volume", "ls") == volumes


def test_volumes_go_only_after_a_backup_was_written(project: Callable[..., Project]) -> None:
    stack = project(compose=DATABASE)
    stack.up()
    result = stack.inv("stack.down", "--volumes", "--yes").ok()
    dumps = [path for path in (stack.folder / "backups").rglob("*") if path.is_file()]
    assert any(path.suffix != ".json" and path.stat().st_size for path in dumps)
    assert "backups/" in result.stderr
    assert stack.containers() == {}
    assert stack.listed("volume", "ls") == []


def test_volumes_of_a_database_that_cannot_be_backed_up_are_kept(
    project: Callable[..., Project],
) -> None:
    stack = project(compose=DATABASE)
    stack.up()
    stack.inv("stack.stop").ok()
    before, volumes = stack.identities(), stack.listed("volume", "ls")
    result = stack.inv("stack.down", "--volumes", "--yes")
    assert result.code == 4
    assert "could not be backed up" in result.error
    assert "--no-backup" in result.hint
    assert stack.identities() == before
    assert stack.listed("volume", "ls") == volumes


def test_down_in_a_dry_run_removes_nothing(project: Callable[..., Project]) -> None:
    stack = project(compose=DATABASE)
    stack.up()
    before = stack.identities()
    result = stack.inv("--dry", "stack.down").ok()
    assert f"--project-name {stack.name} down" in result.stderr
    assert "would remove" in result.stderr
    assert stack.identities() == before


def test_down_in_json_names_what_was_removed(project: Callable[..., Project]) -> None:
    stack = project(compose=DATABASE)
    stack.up()
    document = stack.inv("stack.down", "--json").ok().document
    assert document["schema"] == 1
    assert (document["project"], document["containers"]) == (stack.name, ["db"])


TWO_DATABASES = """
services:
  first:
    image: postgres:16-alpine
    environment: {POSTGRES_PASSWORD: one, POSTGRES_DB: one}
    volumes: ["one:/var/lib/postgresql/data"]
  second:
    image: postgres:16-alpine
    environment: {POSTGRES_PASSWORD: two, POSTGRES_DB: two}
    volumes: ["two:/var/lib/postgresql/data"]
volumes: {one: , two: }
"""


def test_every_database_is_backed_up_before_the_volumes_go(
    project: Callable[..., Project], until: Callable[..., None]
) -> None:
    stack = project(compose=TWO_DATABASES)
    stack.up()
    for service, name in (("first", "one"), ("second", "two")):
        stack.environ["INVSTACK_DB_SERVICE"] = service
        stack.inv("db.wait").ok()
        assert name in stack.inv("db.wait", "--json").ok().document["database"]

    stack.inv("stack.down", "--volumes", "--yes").ok()

    saved = {path.parent.name for path in (stack.folder / "backups").rglob("*.dump")}
    assert saved == {"one", "two"}


NEVER_READY = """
services:
  web:
    image: redis:7-alpine
    healthcheck: {test: ["CMD", "false"], interval: 5s, retries: 20}
"""


def test_down_waits_for_nobody_while_the_stack_comes_up(
    project: Callable[..., Project], begin: Callable[..., Any]
) -> None:
    stack = project(compose=NEVER_READY)
    going = begin(stack, "stack.up")
    going.said("starting")

    result = stack.inv("stack.down")

    assert result.code == 5
    assert "another run is busy" in result.error
    going.signal(signal.SIGINT, group=False)
    assert going.end().code == 130

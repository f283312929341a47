"""Which database a variable's URL leads to, whose it is, and where its clients run."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from invoke_stack.compose.model import Model, Service
from invoke_stack.compose.ports import Port
from invoke_stack.database import keyed, locate, url
from invoke_stack.engines.containers import Binding
from invoke_stack.environment.values import Value
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.project import Project

POOLED = "postgresql://u:canary-pw@ep-1-pooler.example/shop"
DIRECT = "postgresql://u:canary-pw@ep-1.example/shop"
REMOTE = "postgresql://u:canary-pw@db.example.com:5432/shop?schema=public"
LOCAL = "postgresql://u:canary-pw@localhost:5433/shop"
INSIDE = "postgresql://u:canary-pw@pg:5432/shop"


def stack(*, environment: dict[str, str | None] | None = None, **values: str | None) -> Any:
    """Return a stack whose `pg` publishes 5432 as 5433, with these variables."""
    ports = (Port("pg", 5432, 5433, host="127.0.0.1"),)
    pg = Service("pg", image="postgres:16", ports=ports)
    web = Service("web", environment=environment or {})
    model = Model("shop", {"pg": pg, "web": web})
    env = SimpleNamespace(values={key: Value(key, text, "file") for key, text in values.items()})
    return SimpleNamespace(name="shop", model=model, env=env, active=lambda: model.services)


@pytest.fixture
def publishing(engine: Any) -> Any:
    """The engine, whose `pg` really publishes that port."""
    bound = Binding(5432, 5433, "tcp", "127.0.0.1")
    engine.found = tuple(dataclasses.replace(each, bindings=(bound,)) for each in engine.found)
    engine.endpoint = SimpleNamespace(local=True)
    return engine


@pytest.fixture
def site(make_project: Callable[..., Project], tmp_path: Path) -> Callable[..., Project]:
    """A project on a machine with or without PostgreSQL's programs."""

    def make(*programs: str) -> Project:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in programs:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        return dataclasses.replace(make_project(), environ={"PATH": str(folder)})

    return make


@pytest.fixture
def bare(site: Callable[..., Project]) -> Project:
    return site()


@pytest.fixture
def equipped(site: Callable[..., Project]) -> Project:
    if os.name != "posix":
        pytest.skip("programs without an extension")
    return site(*locate.PROGRAMS)


def test_a_variable_of_the_env_files_is_found(bare: Project) -> None:
    found = keyed.find(bare, stack(A_URL=REMOTE), "A_URL")

    assert (found.key, found.text, found.note) == ("A_URL", REMOTE, "")
    assert "canary-pw" not in repr(found)
    assert bare.secrets.hide("it is canary-pw") == "it is ***"


def test_a_variable_that_only_a_service_is_given_is_found(bare: Project) -> None:
    assert keyed.find(bare, stack(environment={"D": INSIDE, "E": None}), "D").text == INSIDE


def test_the_env_files_win_over_a_service_unless_they_set_nothing(bare: Project) -> None:
    both = {"D": INSIDE}

    assert keyed.find(bare, stack(environment=both, D=REMOTE), "D").text == REMOTE
    assert keyed.find(bare, stack(environment=both, D=None), "D").text == INSIDE


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("C", "--target C: is no variable of this project"),
        ("B", "--target B: is empty or not set"),
        ("N", "--target N: is empty or not set"),
    ],
)
def test_a_variable_without_a_url_names_those_that_have_one(
    bare: Project, key: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        keyed.find(bare, stack(A=REMOTE, B="", N=None, X="http://web"), key)

    assert str(caught.value) == message
    assert caught.value.hint == "variables with a PostgreSQL URL: A"


def test_a_url_in_place_of_a_variable_is_refused_and_hidden(bare: Project) -> None:
    with pytest.raises(UsageError, match="takes a variable's name, not a URL") as caught:
        keyed.find(bare, stack(), REMOTE)

    assert "canary-pw" not in str(caught.value)
    assert "canary-pw" not in bare.secrets.hide(REMOTE)


def test_of_a_pooler_the_direct_url_is_taken_and_said(bare: Project) -> None:
    found = keyed.find(bare, stack(DATABASE_URL=POOLED, DIRECT_URL=DIRECT), "DATABASE_URL")

    assert found.key == "DIRECT_URL"
    assert found.note == "DATABASE_URL leads to a pooler: using DIRECT_URL"


@pytest.mark.parametrize(
    ("others", "hint"),
    [
        ({}, "set DIRECT_URL to the database's own address"),
        ({"DIRECT_URL": POOLED}, "set DIRECT_URL"),
        ({"DIRECT_URL": f"{DIRECT}2"}, "set DIRECT_URL"),
        ({"DIRECT_URL": DIRECT, "URL_UNPOOLED": REMOTE}, "with --target: DIRECT_URL, URL_UNPOOLED"),
    ],
    ids=["none", "pooled too", "another database", "two that differ"],
)
def test_a_pooler_without_one_clear_direct_url_is_refused(
    bare: Project, others: dict[str, str], hint: str
) -> None:
    with pytest.raises(UsageError, match="leads to a pooler") as caught:
        keyed.find(bare, stack(DATABASE_URL=POOLED, **others), "DATABASE_URL")

    assert hint in caught.value.hint


@pytest.mark.parametrize("text", [INSIDE, LOCAL], ids=["service name", "published port"])
def test_a_url_into_the_stack_is_worked_on_in_its_container(
    equipped: Project, publishing: Any, text: str
) -> None:
    found = locate.find(equipped, stack(A=text), publishing, "A")

    assert (found.place, found.service, found.container) == ("stack", "pg", "id-pg")
    assert found.where == "service pg"
    call = found.inside(("psql",))
    assert call.argv == (
        *("docker", "exec", "--env", "PGAPPNAME", "--env", "PGCONNECT_TIMEOUT"),
        *("--env", "PGDATABASE", "--env", "PGUSER", "--env", "PGPASSWORD", "--env", "PGHOST"),
        *("--env", "PGPORT", "id-pg", "psql"),
    )
    assert (call.env["PGHOST"], call.env["PGPORT"]) == ("pg", "5432")
    assert call.env["PGPASSWORD"] == "canary-pw"


def test_another_port_of_this_machine_is_not_the_stacks(equipped: Project, publishing: Any) -> None:
    text = LOCAL.replace("5433", "5999")
    found = locate.find(equipped, stack(A=text), publishing, "A")

    assert (found.place, found.container, found.where) == ("loopback", "", "localhost:5999")


def test_the_port_that_a_container_really_publishes_counts(
    equipped: Project, publishing: Any
) -> None:
    bound = Binding(5432, 5999, "tcp", "")
    publishing.found = tuple(
        dataclasses.replace(each, bindings=(bound,)) for each in publishing.found
    )

    assert locate.find(equipped, stack(A=LOCAL), publishing, "A").place == "loopback"


def test_a_remote_engines_ports_are_not_this_machines(equipped: Project, publishing: Any) -> None:
    publishing.endpoint = SimpleNamespace(local=False)

    assert locate.find(equipped, stack(A=LOCAL), publishing, "A").place == "loopback"


@pytest.mark.parametrize("text", [INSIDE, LOCAL])
def test_a_url_into_a_stack_that_is_down_says_so(bare: Project, publishing: Any, text: str) -> None:
    publishing.found = ()

    with pytest.raises(UnreachableError, match="service pg: has no container"):
        locate.find(bare, stack(A=text), publishing, "A")


@pytest.mark.parametrize("key", ["", "A"])
def test_without_an_engine_the_stacks_own_is_unreachable(bare: Project, key: str) -> None:
    with pytest.raises(UnreachableError, match=r"service pg: .* no Docker engine answers"):
        locate.find(bare, stack(A=INSIDE), None, key)


def test_this_machines_programs_see_nothing_of_the_callers_variables(
    equipped: Project, publishing: Any
) -> None:
    found = locate.find(equipped, stack(A=REMOTE), None, "A")
    call = found.inside(("psql", "-X"), read=True)

    assert (found.place, found.where, found.service) == ("remote", "db.example.com:5432", "")
    assert call.argv == ("psql", "-X")
    assert call.without == ("PG*",)
    assert call.env["PGHOST"] == "db.example.com"
    assert call.effect == "read"


def test_without_programs_the_containers_are_lent(bare: Project, publishing: Any) -> None:
    found = locate.find(bare, stack(A=REMOTE), publishing, "A")

    assert (found.place, found.container) == ("remote", "id-pg")
    assert found.inside(("psql",)).env["PGHOST"] == "db.example.com"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            REMOTE,
            "install PostgreSQL's client programs (psql, pg_dump, pg_restore), or: inv stack.up",
        ),
        (LOCAL.replace("5433", "5999"), "install PostgreSQL's client programs"),
    ],
)
def test_with_neither_the_programs_to_install_are_named(
    bare: Project, text: str, hint: str
) -> None:
    with pytest.raises(UsageError, match="psql: not installed") as caught:
        locate.find(bare, stack(A=text), None, "A")

    assert hint in caught.value.hint


def test_the_choice_of_a_direct_url_is_reported(equipped: Project) -> None:
    told: list[Any] = []
    declared = stack(DATABASE_URL=POOLED, DIRECT_URL=DIRECT)

    found = locate.find(equipped, declared, None, "DATABASE_URL", told.append)

    assert found.key == "DIRECT_URL"
    assert [each.text for each in told] == ["DATABASE_URL leads to a pooler: using DIRECT_URL"]


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("host", "postgresql://a%40b:***@localhost:5433/my%20shop"),
        ("stack", "postgresql://a%40b:***@pg:5432/my%20shop"),
    ],
)
def test_the_stacks_own_url_is_made_of_its_login(
    bare: Project, publishing: Any, view: str, shown: str
) -> None:
    publishing.env = {
        "POSTGRES_USER": "a@b",
        "POSTGRES_PASSWORD": "canary/pw",
        "POSTGRES_DB": "my shop",
    }
    found = url.find(bare, stack(), publishing, view=view)

    assert found.masked == shown
    assert found.text == shown.replace("***", "canary%2Fpw")
    assert "canary" not in repr(found)
    assert found.document(reveal=False)["url"] == shown
    assert found.document(reveal=True)["url"] == found.text
    assert found.document(reveal=False)["database"] == "my shop"


def test_a_variables_url_keeps_everything_but_host_and_port(bare: Project) -> None:
    text = "postgresql://u:p%40x@pg:5432/shop?schema=public&connection_limit=5"

    assert url.find(bare, stack(A=text), None, "A", "stack").text == text
    expected = text.replace("pg:5432", "localhost:5433")
    assert url.find(bare, stack(A=text), None, "A").text == expected
    assert url.find(bare, stack(A=expected), None, "A", "stack").text == text


def test_a_url_elsewhere_is_the_same_from_both_sides(bare: Project) -> None:
    assert url.find(bare, stack(A=REMOTE), None, "A").text == REMOTE
    assert url.find(bare, stack(A=POOLED), None, "A", "stack").text == POOLED


def test_a_stack_without_a_database_names_the_variable_to_take(bare: Project) -> None:
    declared = stack(FAR_URL=REMOTE)
    services = {"web": declared.model.services["web"]}
    declared.model = Model("shop", services)
    declared.active = lambda: services

    with pytest.raises(UsageError, match="no database service") as caught:
        locate.find(bare, declared, None)

    assert caught.value.hint == "name the variable of the one you mean: --target FAR_URL"


def test_an_unknown_view_is_refused(bare: Project) -> None:
    with pytest.raises(UsageError, match="no such view: inside"):
        url.find(bare, stack(), None, view="inside")


@pytest.fixture
def near(publishing: Any, embedded: Any) -> Any:
    """An engine without containers, whose `pg` has its own port published as 5433."""
    embedded.found = publishing.found
    return embedded


@pytest.mark.parametrize("text", [INSIDE, LOCAL], ids=["service name", "published port"])
def test_without_docker_a_url_into_the_stack_is_asked_for_its_password(
    bare: Project, near: Any, text: str
) -> None:
    found = locate.find(bare, stack(A=text), near, "A")
    call = found.inside(("psql",))

    assert (found.place, found.service, found.container) == ("stack", "pg", "")
    assert (call.argv, call.programs) == (("psql",), near.folder)
    # Not the socket, which lets its owner in whatever the URL says.
    assert (call.env["PGHOST"], call.env["PGPORT"]) == ("127.0.0.1", "5433")
    assert (call.env["PGUSER"], call.env["PGPASSWORD"]) == ("u", "canary-pw")


def test_without_docker_and_without_a_published_port_the_servers_own_counts(
    bare: Project, near: Any
) -> None:
    near.found = tuple(dataclasses.replace(each, bindings=()) for each in near.found)
    near.near["PGPORT"] = "40123"

    found = locate.find(bare, stack(A=INSIDE), near, "A")
    assert found.inside(("psql",)).env["PGPORT"] == "40123"


@pytest.mark.parametrize("text", [REMOTE, LOCAL.replace("5433", "5999")])
def test_the_programs_of_an_embedded_server_reach_every_other_one(
    bare: Project, near: Any, text: str
) -> None:
    found = locate.find(bare, stack(A=text), near, "A")
    call = found.inside(("psql",))

    assert (found.place != "stack", found.container, found.programs) == (True, "", near.folder)
    assert "PGDATA" not in call.env
    assert call.env["PGHOST"] in {"db.example.com", "localhost"}

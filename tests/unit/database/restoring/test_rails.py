"""What is refused before any server is asked."""

from typing import Any

import pytest

from invoke_stack.database import rails, reset
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.restoring import request, restore, undo
from invoke_stack.database.target import Target
from invoke_stack.database.values import Login
from invoke_stack.errors import RefusedError, StackError, UsageError


def agree(_question: str, _word: str = "") -> None:
    """Say yes, as --yes does."""


def elsewhere() -> Target:
    login = Login("app", "shop", "canary-pw")
    host = "db.example.com:5432"
    return Target("shop", "", "id-lent", Postgres(), login, "remote", host, "OTHER_URL")


def test_another_server_is_not_reset_by_yes_alone(project: Any, docker: Any) -> None:  # A35
    for consent in (rails.Consent(), rails.Consent(name="shop")):
        with pytest.raises(RefusedError, match="is not this stack's"):
            reset.reset(project, elsewhere(), lambda _new: None, consent, agree)
    consent = rails.Consent(remote=True, name="shops")
    with pytest.raises(RefusedError, match="names another one"):
        reset.reset(project, elsewhere(), lambda _new: None, consent, agree)
    assert docker.asked == []


def test_with_both_flags_the_server_is_asked(project: Any, docker: Any) -> None:  # A35
    docker.answer("psql", code=2, err="connection to server at x failed: refused")

    consent = rails.Consent(remote=True, name="shop")
    with pytest.raises(StackError, match=r"db\.example\.com:5432: does not answer"):
        reset.reset(project, elsewhere(), lambda _new: None, consent, agree)


@pytest.mark.parametrize("name", ["shop_prod", "production"])
def test_a_protected_name_is_refused_whatever_the_flags_say(
    make_project: Any, declared: Any, engine: Any, docker: Any, store: Any, name: str
) -> None:
    store("shop.dump")
    project = make_project()
    consent = rails.Consent(remote=True, name=name)
    options = request.Options(file="backups/shop/shop.dump", to_db=name)

    with pytest.raises(RefusedError, match="is protected"):
        restore.restore(project, declared, engine, options, consent, agree)
    with pytest.raises(RefusedError, match="is protected"):
        undo.undo(project, declared, engine, request.Options(to_db=name), consent, agree)
    assert docker.asked == []


def test_an_undo_does_not_take_a_file(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    for options in (request.Options(file="2"), request.Options(folder="elsewhere")):
        with pytest.raises(UsageError, match="--undo: takes no backup"):
            undo.undo(project, declared, engine, options, rails.Consent(), agree)
    assert docker.asked == []


@pytest.mark.parametrize(
    ("key", "to_db", "command"),
    [
        ("", "", "inv db.restore --undo"),
        ("", "a b", "inv db.restore --undo --to-db 'a b'"),
        ("TEST_URL", "", "inv db.restore --undo --target TEST_URL"),
        ("TEST_URL", "copy", "inv db.restore --undo --target TEST_URL --to-db copy"),
    ],
)
def test_the_way_back_leads_to_the_database_that_was_replaced(
    key: str, to_db: str, command: str
) -> None:
    assert request.undo(key, to_db) == command


@pytest.mark.parametrize("name", ["template0", "template1", "postgres"])
def test_the_servers_own_databases_are_never_replaced(
    project: Any, declared: Any, engine: Any, docker: Any, store: Any, name: str
) -> None:
    store("shop.dump")
    options = request.Options(file="backups/shop/shop.dump", to_db=name)

    with pytest.raises(RefusedError, match="never touches it"):
        restore.restore(project, declared, engine, options, rails.Consent(), agree)
    assert docker.asked == []

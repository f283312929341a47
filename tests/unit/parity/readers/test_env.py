from __future__ import annotations

import pytest

from invoke_stack.parity.readers.env import hidden, hidden_words, variable
from invoke_stack.parity.values import Address, Src, masked

HERE = Src("f", 1)


def test_a_secret_leaves_only_its_mask() -> None:
    found = variable("API_SECRET", "hunter2-hunter2", HERE, "literal")

    assert found.value is None
    assert found.masked == masked("hunter2-hunter2")
    assert found.sensitive
    assert "hunter2" not in repr(found)


def test_of_a_url_only_the_password_is_masked() -> None:
    found = variable(
        "DATABASE_URL", "postgresql://app:hunter2@db:5432/x?sslmode=on", HERE, "literal"
    )

    assert found.value == "postgresql://app:***@db:5432/x?sslmode=on"
    assert found.address == Address("postgresql", "db", 5432, "/x", "app", masked("hunter2"))
    assert "hunter2" not in repr(found)


def test_a_password_with_a_slash_is_masked_whole() -> None:
    found = variable("DATABASE_URL", "postgresql://app:ab/c@db/x", HERE, "literal")

    assert found.address is not None
    assert found.address.host == "db"
    assert found.value == "postgresql://app:***@db/x"


def test_a_secret_in_the_query_is_masked() -> None:
    found = variable("HOOK_URL", "https://x.io/a?token=hunter2&b=1", HERE, "literal")

    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("key", "text", "shape"),
    [
        ("A", "https://x.io/a", "url"),
        ("A", "redis:6379", "hostport"),
        ("DB_HOST", "postgres", "host"),
        ("A", "postgres", "text"),
        ("A", "true", "bool"),
        ("A", "12", "number"),
        ("A", "", "empty"),
        ("A", None, ""),
        ("PORTS", "5432:5432", "text"),
        ("A", "[::1]:80", "hostport"),
    ],
)
def test_shapes(key: str, text: str | None, shape: str) -> None:
    assert variable(key, text, HERE, "literal").shape == shape


@pytest.mark.parametrize("text", ["changeme", "<token>", "https://your-app.example.com"])
def test_a_placeholder_is_told_apart(text: str) -> None:
    assert variable("SITE", text, HERE, "literal").placeholder


def test_several_hosts_are_known_by_the_first() -> None:
    found = variable("A", "mongodb://u:p@one:27017,two:27017/x", HERE, "literal").address

    assert found is not None
    assert (found.host, found.port) == ("one", 27017)


def test_a_framework_prefix_does_not_make_a_secret() -> None:
    assert variable("NEXT_PRIVATE_SMTP_HOST", "mail", HERE, "literal").value == "mail"
    assert variable("APP_PRIVATE_KEY", "abc", HERE, "literal").value is None


def test_commands_are_shown_without_secrets() -> None:
    text = "PASSWORD=hunter2 psql postgres://a:hunter2@db/x && TOKEN=$TOKEN run"

    assert hidden(text) == "PASSWORD=*** psql postgres://a:***@db/x && TOKEN=$TOKEN run"


@pytest.mark.parametrize(
    "text",
    [
        "redis-cli -a hunter2 ping",
        "redis-server --requirepass hunter2",
        "mysqladmin ping -phunter2",
        "psql --password=hunter2",
        "x --token hunter2",
    ],
)
def test_options_that_hold_a_password_are_masked(text: str) -> None:
    assert "hunter2" not in hidden(text)
    assert "hunter2" not in " ".join(hidden_words(text.split()))


def test_a_variable_in_its_place_stays() -> None:
    assert hidden("redis-cli -a $REDIS_PASSWORD ping") == "redis-cli -a $REDIS_PASSWORD ping"
    assert hidden_words(["mysqladmin", "ping", "--port", "3306"]) == (
        "mysqladmin",
        "ping",
        "--port",
        "3306",
    )

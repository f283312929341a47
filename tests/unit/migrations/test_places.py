"""URLs of one database: moved, renamed, put together; everything else byte for byte."""

from __future__ import annotations

import pytest

from invoke_stack.database import urls
from invoke_stack.database.migrating import with_database
from invoke_stack.database.values import Login
from invoke_stack.migrations import places

ODD = "postgresql://us%40er:p%2Fw@pg:5432/my%20db?schema=public&pgbouncer=true"


@pytest.mark.parametrize(
    ("url", "host", "moved"),
    [
        (ODD, "127.0.0.1", ODD.replace("pg:5432", "127.0.0.1:7")),
        ("postgres://a@pg/db", "::1", "postgres://a@[::1]:7/db"),
        ("postgres://[::1]:5432", "h", "postgres://h:7"),
        ("postgres://pg?schema=a@b", "h", "postgres://h:7?schema=a@b"),
    ],
)
def test_only_host_and_port_move(url: str, host: str, moved: str) -> None:
    assert places.moved(url, host, 7) == moved


@pytest.mark.parametrize(
    ("url", "renamed"),
    [
        (ODD, ODD.replace("my%20db", "a%2Fb%3F")),
        ("postgres://pg", "postgres://pg/a%2Fb%3F"),
        ("postgres://pg?schema=x/y", "postgres://pg/a%2Fb%3F?schema=x/y"),
        ("", ""),
    ],
)
def test_another_database_of_the_same_server_keeps_everything_else(url: str, renamed: str) -> None:
    assert with_database(url, "a/b?") == renamed


def test_a_url_is_put_together_with_every_part_encoded() -> None:
    login = Login("us@er", "my db", "p/w:?#")
    assert urls.written(login, "pg") == "postgresql://us%40er:p%2Fw%3A%3F%23@pg:5432/my%20db"
    assert urls.written(Login("a", "b"), "pg") == "postgresql://a@pg:5432/b"

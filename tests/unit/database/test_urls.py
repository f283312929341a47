"""A24: what apps write, and the exact variables that libpq's programs get for it."""

import pytest

from invoke_stack.database import urls
from invoke_stack.database.postgres import Postgres
from invoke_stack.errors import UsageError

LOCAL = {"PGHOST": "localhost", "PGPORT": "5432"}
SHOP = {"PGUSER": "u", "PGPASSWORD": "p", "PGDATABASE": "shop"}
OURS = {"PGAPPNAME": "invoke_stack", "PGCONNECT_TIMEOUT": "5"}


def environment(url: str) -> dict[str, str]:
    return dict(Postgres().session(urls.parse(url, "DATABASE_URL").login(), "invoke_stack"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://u:p@localhost/shop?pool_timeout=9&statement_cache_size=0&socket_timeout=3",
            {**LOCAL, **SHOP},
        ),
        (
            "postgresql://u:p@localhost:5432/shop?schema=public&connection_limit=5&pgbouncer=true",
            {**LOCAL, **SHOP},
        ),
        ("postgres://u:p@localhost/shop", {**LOCAL, **SHOP}),
        ("postgresql+asyncpg://u:p@localhost/shop", {**LOCAL, **SHOP}),
        ("postgresql+psycopg2://u:p@localhost/shop", {**LOCAL, **SHOP}),
        ("jdbc:postgresql://localhost/shop?user=u&password=p", {**LOCAL, **SHOP}),
        ("  POSTGRESQL://u:p@localhost/shop\n", {**LOCAL, **SHOP}),
        (
            "postgresql://u%40x:p%40ss%2Fw%3Ard%25@localhost/shop",
            {**LOCAL, "PGUSER": "u@x", "PGPASSWORD": "p@ss/w:rd%", "PGDATABASE": "shop"},
        ),
        (
            "postgresql://u:p@ss:w+ord@localhost/shop",
            {**LOCAL, **SHOP, "PGPASSWORD": "p@ss:w+ord"},
        ),
        ("postgresql://u:p@[::1]:5433/shop", {**SHOP, "PGHOST": "::1", "PGPORT": "5433"}),
        (
            "postgresql://u:p@[2001:db8::2]/shop",
            {**SHOP, "PGHOST": "2001:db8::2", "PGPORT": "5432"},
        ),
        (
            "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/shop",
            {**SHOP, "PGHOST": "/var/run/postgresql", "PGPORT": "5432"},
        ),
        (
            "postgresql://u:p@localhost/shop?host=/cloudsql/a:b:c",
            {**SHOP, "PGHOST": "/cloudsql/a:b:c", "PGPORT": "5432"},
        ),
        ("postgresql:///shop", {"PGPORT": "5432", "PGDATABASE": "shop"}),
        ("postgresql://localhost/a%3Db", {**LOCAL, "PGDATABASE": "a=b"}),
        ("postgresql://localhost/a=b", {**LOCAL, "PGDATABASE": "a=b"}),
        ("postgresql://localhost/we%20ird-%22n%3Bame", {**LOCAL, "PGDATABASE": 'we ird-"n;ame'}),
        (
            "postgresql://u:p@a.example,b.example:5433/shop",
            {**SHOP, "PGHOST": "a.example,b.example", "PGPORT": "5432,5433"},
        ),
        (
            "postgresql://u:p@localhost/shop?sslmode=no-verify&connect_timeout=30&options=-c%20a%3D1",
            {
                **LOCAL,
                **SHOP,
                "PGSSLMODE": "require",
                "PGCONNECT_TIMEOUT": "30",
                "PGOPTIONS": "-c a=1",
            },
        ),
        ("postgresql://u:p@localhost/shop?ssl=true", {**LOCAL, **SHOP, "PGSSLMODE": "require"}),
        (
            "postgresql://u:p@localhost/shop?sslcert=ca.pem&sslaccept=strict",
            {**LOCAL, **SHOP, "PGSSLROOTCERT": "ca.pem"},
        ),
        (
            "postgresql://u:p@localhost/shop?sslcert=me.pem&sslkey=me.key&sslrootcert=ca.pem",
            {
                **LOCAL,
                **SHOP,
                "PGSSLCERT": "me.pem",
                "PGSSLKEY": "me.key",
                "PGSSLROOTCERT": "ca.pem",
            },
        ),
        (
            "postgresql://u:p@localhost/shop?schema=my%20own&options=-c%20a%3D1",
            {**LOCAL, **SHOP, "PGOPTIONS": r'-c a=1 -c search_path="my\ own"'},
        ),
        ("postgresql://u:p@localhost/shop#fragment", {**LOCAL, **SHOP}),
        (
            "postgresql://u:p@localhost/shop?schema",
            {**LOCAL, **SHOP, "PGOPTIONS": '-c search_path=""'},
        ),
    ],
)
def test_a_url_becomes_exactly_these_variables(url: str, expected: dict[str, str]) -> None:
    assert environment(url) == {**OURS, **expected}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is empty"),
        ("canary", "is no URL"),
        ("mysql://u:canary@h/d", "is a URL of mysql"),
        ("prisma://accelerate.example/?api_key=canary", "Prisma's proxy"),
        ("prisma+postgres://localhost:51213/?api_key=canary", "Prisma's proxy"),
        ("postgresql://u:canary@localhost", "names no database"),
        ("postgresql://u:canary@localhost/", "names no database"),
        ("postgresql://u:canary/x@localhost/d", "stands before the `@`"),
        ("postgresql://u:canary#x@localhost/d", "stands before the `@`"),
        ("postgresql://u:canary?x@localhost/d", "stands before the `@`"),
        ("postgresql://u:canary@localhost:port/d", "host or port of the URL cannot be read"),
        ("postgresql://u:canary@::1/d", "host or port of the URL cannot be read"),
        ("postgresql://u:canary%00@localhost/d", "%00 cannot"),
    ],
)
def test_what_is_no_address_of_a_database_is_refused_without_showing_it(
    url: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        urls.parse(url, "DATABASE_URL")

    assert caught.value.where == "DATABASE_URL"
    assert words in caught.value.message
    assert caught.value.hint
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


def test_the_proxys_hint_is_the_direct_url() -> None:
    with pytest.raises(UsageError) as caught:
        urls.parse("prisma+postgres://accelerate", "DATABASE_URL")

    assert "--target DIRECT_URL" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "pooled"),
    [
        ("postgresql://u@h/d?pgbouncer=true", True),
        ("postgresql://u@h/d?pgbouncer=false", False),
        ("postgresql://u@h:6543/d", True),
        ("postgresql://u@ep-cool-1-pooler.eu.example/d", True),
        ("postgresql://u@ep-cool-1.eu.example/d", False),
        ("postgresql://u@a.pooler.example:5432/d", False),
    ],
)
def test_poolers_are_known_by_parameter_port_and_host(url: str, pooled: bool) -> None:  # noqa: FBT001
    assert urls.parse(url, "K").pooled is pooled


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("localhost", "loopback"),
        ("LOCALHOST", "loopback"),
        ("127.0.0.1", "loopback"),
        ("127.8.0.1", "loopback"),
        ("[::1]", "loopback"),
        ("", "loopback"),
        ("%2Ftmp", "loopback"),
        ("host.docker.internal", "loopback"),
        ("db.example.com", "remote"),
        ("10.0.0.1", "remote"),
        ("localhost.example.com", "remote"),
        ("localhost,db.example.com", "remote"),
    ],
)
def test_the_host_says_whether_it_is_this_machine(host: str, place: str) -> None:
    assert urls.parse(f"postgresql://u@{host}/d", "K").place == place


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:canary@h/d", "h:5432"),
        ("postgresql://u:canary@[::1]:1/d", "[::1]:1"),
        ("postgresql:///d", "the local socket"),
        ("postgresql://u@%2Frun/d", "/run"),
        ("postgresql://a,b:1/d", "a:5432,b:1"),
        ("postgresql://a,b/d?port=7", "a:7,b:7"),
    ],
)
def test_people_see_host_and_port(url: str, shown: str) -> None:
    address = urls.parse(url, "K")

    assert address.shown == shown
    assert "canary" not in repr(address)

from __future__ import annotations

from dataclasses import dataclass

import pytest

from invoke_stack.environment.views import to_host, to_stack
from invoke_stack.errors import UsageError


@dataclass(frozen=True)
class Port:
    service: str
    target: int
    published: int | None
    protocol: str = "tcp"
    host: str = ""


PORTS = (
    Port("db", 5432, 5433),
    Port("cache", 6379, 6379, host="127.0.0.1"),
    Port("mongo", 27017, 27017),
    Port("mongo2", 27017, 27018),
    Port("web", 3000, 3000),
    Port("kafka", 9092, 9092),
    Port("hidden", 5432, None),
    Port("dns", 53, 5353, "udp"),
    Port("lan", 5432, 5499, host="192.168.1.5"),
)

BOTH_WAYS = [
    ("postgresql://u:p@localhost:5433/d?schema=x#y", "postgresql://u:p@db:5432/d?schema=x#y"),
    ("postgresql+asyncpg://u:p%40%2F@localhost:5433/d", "postgresql+asyncpg://u:p%40%2F@db:5432/d"),
    ("postgresql://u:p@ss@localhost:5433/d", "postgresql://u:p@ss@db:5432/d"),
    ("postgresql://localhost:5433", "postgresql://db:5432"),
    ("redis://:localhost:6379@localhost:6379/0", "redis://:localhost:6379@cache:6379/0"),
    ("jdbc:postgresql://localhost:5433/d?user=u", "jdbc:postgresql://db:5432/d?user=u"),
    ("jdbc:sqlserver://localhost:5433;user=u", "jdbc:sqlserver://db:5432;user=u"),
    (
        "mongodb://u:p@localhost:27017,localhost:27018,far:1/d",
        "mongodb://u:p@mongo:27017,mongo2:27017,far:1/d",
    ),
]


@pytest.mark.parametrize(("host", "stack"), BOTH_WAYS)
def test_only_host_and_port_change_in_either_direction(host: str, stack: str) -> None:
    assert to_stack("DATABASE_URL", host, PORTS) == stack
    assert to_host("DATABASE_URL", stack, PORTS) == host
    assert to_stack("DATABASE_URL", stack, PORTS) == stack
    assert to_host("DATABASE_URL", host, PORTS) == host


@pytest.mark.parametrize(
    ("value", "stack"),
    [
        ("redis://localhost", "redis://cache:6379"),
        ("redis://localhost/1", "redis://cache:6379/1"),
        ("postgres://u@127.0.0.1:5433/d", "postgres://u@db:5432/d"),
        ("postgres://u@[::1]:5433/d", "postgres://u@db:5432/d"),
        ("postgres://u@LOCALHOST:5433/d", "postgres://u@db:5432/d"),
        ("postgres://u@localhost:1/d", "postgres://u@localhost:1/d"),
        ("postgres://u@localhost/d", "postgres://u@localhost/d"),
        ("postgres://u@localhost:5499/d", "postgres://u@localhost:5499/d"),
        ("postgres://u@localhost:5353/d", "postgres://u@localhost:5353/d"),
        ("postgres://u@db.example.com:5433/d", "postgres://u@db.example.com:5433/d"),
        ("postgres://u:p/w@localhost:5433/d", "postgres://u:p/w@localhost:5433/d"),
        ("mongodb+srv://u:p@localhost/d", "mongodb+srv://u:p@localhost/d"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("postgres:///d?host=/run/pg", "postgres:///d?host=/run/pg"),
        ("file:./dev.db", "file:./dev.db"),
        ("localhost:5433 and more", "localhost:5433 and more"),
        ("", ""),
    ],
)
def test_a_host_address_becomes_the_services_where_its_port_is_published(
    value: str, stack: str
) -> None:
    assert to_stack("DATABASE_URL", value, PORTS) == stack


def test_a_broker_list_needs_no_scheme() -> None:
    assert to_stack("KAFKA_BROKER", "localhost:9092,far:9092", PORTS) == "kafka:9092,far:9092"
    assert to_host("KAFKA_BROKER", "kafka:9092", PORTS) == "localhost:9092"


def test_other_keys_are_left_alone_unless_named() -> None:
    value = "postgres://localhost:5433/d"

    assert to_stack("CURL", value, PORTS) == value
    assert to_stack("DB", value, PORTS) == value
    assert to_stack("DB", value, PORTS, extra=["DB"]) == "postgres://db:5432/d"


def test_a_web_address_changes_only_when_its_key_is_named() -> None:
    value = "http://localhost:3000/x"

    assert to_stack("API_URL", value, PORTS) == value
    assert to_stack("API_URL", value, PORTS, extra=["API_URL"]) == "http://web:3000/x"
    assert to_host("API_URL", "http://web:3000/x", PORTS, extra=["API_URL"]) == value


def test_a_service_on_another_address_is_reached_there() -> None:
    assert to_host("DB_URL", "postgres://lan/d", PORTS) == "postgres://192.168.1.5:5499/d"


@pytest.mark.parametrize("address", ["hidden:5432", "hidden", "db:9999", "quiet:5432"])
def test_a_port_that_is_not_published_is_refused_with_the_line_to_write(address: str) -> None:
    with pytest.raises(UsageError, match="is not published to the host") as caught:
        to_host("DB_URL", f"postgres://u:hunter2@{address}/d", PORTS, services=["quiet"])

    assert caught.value.where == "DB_URL"
    assert "ports:" in caught.value.hint
    assert "hunter2" not in str(caught.value) + caught.value.hint


def test_one_port_of_two_services_is_refused() -> None:
    ports = (Port("a", 1, 80, host="127.0.0.1"), Port("b", 2, 80, host="::1"))

    with pytest.raises(UsageError, match="belongs to a:1 and b:2"):
        to_stack("X_URL", "redis://localhost:80", ports)

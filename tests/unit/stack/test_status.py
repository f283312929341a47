from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.engines.containers import Binding, Container
from invoke_stack.environment.declared import Declared
from invoke_stack.stack.status import Status, Url, urls

Make = Callable[..., Container]
Bind = Callable[..., Binding]
Declare = Callable[..., Declared]

SERVICES = {"web": {"build": "."}, "db": {"image": "postgres:16"}, "redis": {"image": "redis:7"}}


def test_each_published_port_has_a_url_and_what_is_behind_it(
    declare: Declare, make_container: Make, bind: Bind
) -> None:
    found = [
        make_container("web", bindings=(bind(3001, 3000, host="0.0.0.0"), bind(3001, 3000))),  # noqa: S104
        make_container("db", bindings=(bind(5433, 5432, host="127.0.0.1"),)),
        make_container("redis", bindings=(bind(6380, 6379, host="::"),)),
        make_container("tls", image="nginx", bindings=(bind(8443, 443),)),
        make_container("quiet"),
    ]

    assert urls(declare(SERVICES).model, found, "localhost") == (
        Url("db", "127.0.0.1", 5433, 5432, "tcp", "postgresql://127.0.0.1:5433", "PostgreSQL"),
        Url("redis", "localhost", 6380, 6379, "tcp", "redis://localhost:6380", "Redis"),
        Url("tls", "localhost", 8443, 443, "tcp", "https://localhost:8443", "http"),
        Url("web", "localhost", 3001, 3000, "tcp", "http://localhost:3001", "http"),
    )


def test_ports_of_an_engine_elsewhere_are_reached_there(
    declare: Declare, make_container: Make, bind: Bind
) -> None:
    (found,) = urls(declare({}).model, [make_container(bindings=(bind(80),))], "box")

    assert (found.host, found.url) == ("box", "http://box:80")


@pytest.mark.parametrize("host", ["::1", "2001:db8::7"])
def test_an_ipv6_address_stands_in_brackets_in_a_url(
    declare: Declare, make_container: Make, bind: Bind, host: str
) -> None:
    (found,) = urls(
        declare({}).model, [make_container(bindings=(bind(80, host=host),))], "localhost"
    )

    assert (found.host, found.url) == (host, f"http://[{host}]:80")


def test_one_number_for_tcp_and_udp_is_two_ports(
    declare: Declare, make_container: Make, bind: Bind
) -> None:
    both = (bind(53, 53, "tcp"), bind(53, 53, "udp"))

    found = urls(declare({}).model, [make_container("dns", bindings=both)], "localhost")

    assert [(each.protocol, each.url) for each in found] == [
        ("tcp", "http://localhost:53"),
        ("udp", "udp://localhost:53"),
    ]


def test_the_json_of_ps_has_the_agreed_keys(make_container: Make) -> None:
    container = make_container(health="healthy", exit_code=0)
    url = Url("web", "localhost", 3001, 3000, "tcp", "http://localhost:3001", "http")
    other = Url("db", "localhost", 1, 2, "tcp", "postgresql://localhost:1", "PostgreSQL")

    document: dict[str, Any] = Status(
        "shop", "dev", "docker", (container,), (url, other)
    ).document()

    assert document == {
        "schema": 1,
        "project": "shop",
        "mode": "dev",
        "engine": "docker",
        "services": [
            {
                "name": "web",
                "state": "running",
                "health": "healthy",
                "image": "shop-web",
                "exit_code": 0,
                "ports": [
                    {
                        "host": "localhost",
                        "published": 3001,
                        "target": 3000,
                        "protocol": "tcp",
                        "url": "http://localhost:3001",
                    }
                ],
            }
        ],
    }

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_stack.compose.model import Mount
from invoke_stack.engines.embedded import redis
from invoke_stack.errors import UsageError

ENVIRONMENT = {"REDIS_PASSWORD": 'a "b\\c'}


def directives(*command: str, mounts: tuple[Mount, ...] = ()) -> tuple[str, ...]:
    return redis.directives(command, ENVIRONMENT, mounts, "cache")


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ((), ()),
        (("redis-server",), ()),
        (("redis-server", "--requirepass", "x y"), ('requirepass "x y"',)),
        (("--save", "60", "1", "--appendonly", "yes"), ('save "60" "1"', 'appendonly "yes"')),
        (("valkey-server", "--save", ""), ('save ""',)),
        (("redis-server", "--maxmemory=100mb"), ('maxmemory "100mb"',)),
        (("redis-server", "--port", "7000", "--bind", "*", "--dir", "/data"), ()),
        (
            ("sh", "-c", 'exec redis-server --requirepass "$REDIS_PASSWORD"'),
            ('requirepass "a \\"b\\\\c"',),
        ),
        (
            ("sh", "-c", "redis-server --requirepass ${OTHER:-fallback}"),
            ('requirepass "fallback"',),
        ),
    ],
)
def test_a_command_line_becomes_configuration(
    command: tuple[str, ...], lines: tuple[str, ...]
) -> None:
    assert directives(*command) == lines


@pytest.mark.parametrize(
    ("image", "environment", "lines"),
    [
        ("redis:7", {"REDIS_PASSWORD": "x"}, ()),
        ("bitnami/redis:7", {"REDIS_PASSWORD": "x"}, ('requirepass "x"',)),
        ("redis/redis-stack", {"REDIS_ARGS": "--requirepass y"}, ('requirepass "y"',)),
        ("valkey/valkey", {"VALKEY_EXTRA_FLAGS": "--save 60 1"}, ('save "60" "1"',)),
    ],
)
def test_what_an_image_makes_of_its_environment_counts(
    image: str, environment: dict[str, str], lines: tuple[str, ...]
) -> None:
    assert redis.directives((), environment, (), "cache", image) == lines


@pytest.mark.parametrize("text", ["sleep 1 && redis-server", "redis-server | tee x", "./start.sh"])
def test_a_shell_that_does_more_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="needs a shell inside the container"):
        directives("sh", "-c", text)


def test_a_mounted_configuration_file_counts_and_options_come_after_it(tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text("# mine\nmaxmemory 1mb\nport 7000\n\ndir /data\n")
    mounts = (Mount(tmp_path, "/usr/local/etc/redis"),)

    lines = directives(
        "redis-server", "/usr/local/etc/redis/redis.conf", "--maxmemory", "2mb", mounts=mounts
    )

    assert lines == ("maxmemory 1mb", 'maxmemory "2mb"')


def test_a_configuration_file_of_the_image_is_refused() -> None:
    with pytest.raises(UsageError, match=r"/etc/redis\.conf is a file of the image"):
        directives("redis-server", "/etc/redis.conf")


def test_a_module_of_the_image_is_refused() -> None:
    with pytest.raises(UsageError, match="needs what only the image has"):
        directives("redis-server", "--loadmodule", "/opt/redisearch.so")


def test_the_configuration_ends_with_where_the_server_listens() -> None:
    new, old = redis.config(("save 60 1",), 6380, (7, 0, 15)), redis.config((), 6380, (6, 0, 16))

    assert new.splitlines()[:3] == ["save 60 1", "bind 127.0.0.1 -::1", "port 6380"]
    assert old.splitlines()[0] == "bind 127.0.0.1"


def test_nobody_at_the_port_is_no_state() -> None:
    assert redis.state(1, 0.2) == ""

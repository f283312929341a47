"""One URL seen from the host and from inside the stack.

On the host a service is `localhost` and its published port, inside the stack it is its own
name and the port it listens on. Only that host and port are exchanged, as text: user,
password, percent-encoding, path and query stay as they are, byte for byte.

Addresses of http, https, ws and wss are left alone unless the key is in ``extra``: browsers
read them, and `NEXTAUTH_URL=http://localhost:3000` must not become `http://web:3000`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_KEY = re.compile(r"_(?:URL|URI|DSN|BROKER)$", re.IGNORECASE)
_SCHEME = re.compile(r"(?:jdbc:)?(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
_BARE_LIST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}(?:,[^,/@\s]+)*")
_WEB = frozenset({"http", "https", "ws", "wss"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# What a port is bound to when `localhost` reaches it.
_LOCAL_BINDS = frozenset({"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"})  # noqa: S104
_DEFAULT_PORTS = {
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "valkey": 6379,
    "mysql": 3306,
    "mariadb": 3306,
    "mongodb": 27017,
    "sqlserver": 1433,
    "mssql": 1433,
    "clickhouse": 9000,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "kafka": 9092,
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
}

_Exchange: TypeAlias = Callable[[str, int | None], str | None]


class Port(Protocol):
    """What a view needs to know of a port in the Compose model."""

    @property
    def service(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> int: ...  # noqa: D102
    @property
    def published(self) -> int | None: ...  # noqa: D102
    @property
    def protocol(self) -> str: ...  # noqa: D102
    @property
    def host(self) -> str: ...  # noqa: D102


def has_views(key: str, *, extra: Collection[str] = ()) -> bool:
    """Tell whether values of this key are exchanged at all."""
    return key in extra or bool(_KEY.search(key))


def to_stack(key: str, value: str, ports: Sequence[Port], *, extra: Collection[str] = ()) -> str:
    """Return the value as a container of the stack needs it.

    `localhost:<published>` becomes `service:target`; other hosts and ports stay.

    Raises:
        UsageError: two services answer on that port of the host.
    """

    def exchange(host: str, port: int | None) -> str | None:
        if host.lower() not in _LOOPBACK or port is None:
            return None
        found = {
            f"{each.service}:{each.target}"
            for each in ports
            if each.published == port and each.protocol == "tcp" and each.host in _LOCAL_BINDS
        }
        if len(found) > 1:
            raise UsageError(
                key,
                f"port {port} of the host belongs to {' and '.join(sorted(found))}",
                hint="publish them on different ports",
            )
        return found.pop() if found else None

    return _spliced(key, value, exchange, extra)


def to_host(
    key: str,
    value: str,
    ports: Sequence[Port],
    *,
    extra: Collection[str] = (),
    services: Collection[str] = (),
) -> str:
    """Return the value as a program on the host needs it.

    `service:target` becomes `localhost:<published>`; other hosts stay. ``services`` names
    those without any port.

    Raises:
        UsageError: the service does not publish that port.
    """
    known = {*services, *(each.service for each in ports)}

    def exchange(host: str, port: int | None) -> str | None:
        for each in ports:
            if (each.service, each.target, each.protocol) == (host, port, "tcp") and each.published:
                return f"{_reached_at(each)}:{each.published}"
        if host not in known or port is None:
            return None
        line = f'`ports: ["127.0.0.1:{port}:{port}"]`'
        message = f"{host}:{port} is not published to the host"
        raise UsageError(key, message, hint=f"add {line} to the service {host}")

    return _spliced(key, value, exchange, extra)


def _reached_at(port: Port) -> str:
    if port.host in _LOCAL_BINDS:
        return "localhost"
    return f"[{port.host}]" if ":" in port.host else port.host


def _spliced(key: str, value: str, exchange: _Exchange, extra: Collection[str]) -> str:
    """Exchange the hosts of a value's address, if its key and scheme ask for it."""
    if not has_views(key, extra=extra):
        return value
    found = _SCHEME.match(value)
    if found is None:
        # A broker list has no scheme: `kafka:9092,kafka2:9092`.
        return _hosts(value, exchange, None) if _BARE_LIST.fullmatch(value) else value
    scheme = found["scheme"].lower()
    if scheme in _WEB and key not in extra:
        return value
    rest = value[found.end() :]
    end = re.search(r"[/?#;]" if value[:5].lower() == "jdbc:" else r"[/?#]", rest)
    authority = rest[: end.start()] if end else rest
    userinfo, at, hosts = authority.rpartition("@")
    default = _DEFAULT_PORTS.get(scheme.partition("+")[0])
    if scheme.endswith("+srv"):
        return value  # a name in the DNS, without port
    tail = rest[len(authority) :]
    return value[: found.end()] + userinfo + at + _hosts(hosts, exchange, default) + tail


def _hosts(hosts: str, exchange: _Exchange, default: int | None) -> str:
    changed = []
    for written in hosts.split(","):
        address = _ADDRESS.fullmatch(written)
        port = int(address["port"]) if address and address["port"] else default
        changed.append((exchange(address["host"], port) if address else None) or written)
    return ",".join(changed)

"""Datastores of production that no file declares: a variable set by hand points to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from invoke_stack.parity.declaration import Datastore, Declaration, Kind
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Repository
from invoke_stack.parity.values import Val

_SCHEMES: dict[str, Kind] = {
    "postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql",
    "mongodb": "mongo", "mongodb+srv": "mongo", "redis": "keyvalue", "rediss": "keyvalue",
    "clickhouse": "clickhouse", "amqp": "queue", "amqps": "queue",
}  # fmt: skip
_KEYS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "postgres",
        re.compile(r"(?:POSTGRES|PG|POSTGRESQL)(?:_?(?:URL|URI|HOST|HOSTNAME|DSN))$|^PGHOST$"),
    ),
    ("mysql", re.compile(r"(?:MYSQL|MARIADB)_?(?:URL|URI|HOST|DSN)$")),
    ("mongo", re.compile(r"MONGO(?:DB)?_?(?:URL|URI|HOST)$")),
    ("keyvalue", re.compile(r"(?:REDIS|VALKEY|KV)_?(?:URL|URI|HOST|TLS_URL)$")),
    ("clickhouse", re.compile(r"CLICKHOUSE_?(?:URL|HOST)$")),
    ("queue", re.compile(r"(?:AMQP|RABBITMQ|CLOUDAMQP)_?(?:URL|HOST)$")),
)
_DATABASE = re.compile(r"(?:^|_)(?:DATABASE|DB)_(?:URL|URI|DSN)$")
_PROVIDERS: dict[str, Kind] = {
    "postgresql": "postgres", "postgres": "postgres", "cockroachdb": "postgres", "mysql": "mysql",
    "mongodb": "mongo",
}  # fmt: skip


def with_external(repository: Repository, production: Declaration) -> Declaration:
    """Return the declaration with the datastores that its variables point to outside of it."""
    stores = dict(production.datastores)
    kinds = {each.kind for each in stores.values()}
    for process in production.processes.values():
        for key, value in process.env.items():
            kind = _kind(repository, key, value)
            if kind is None or kind in kinds:
                continue
            kinds.add(kind)
            note = f"{key} points to it, and no file says its version"
            store = Datastore(
                kind, f"{kind} of {key}", kind, Val(None, value.src, "unknown", note), value.src,
                managed=True, external=True, referenced=tuple(_users(production, kind, repository)),
            )  # fmt: skip
            stores[store.name] = store
    return replace(production, datastores=stores)


def _users(
    production: Declaration, kind: Kind, repository: Repository
) -> Iterator[tuple[str, str]]:
    for process in production.processes.values():
        for key, value in process.env.items():
            if _kind(repository, key, value) == kind:
                yield process.name, key


def _kind(repository: Repository, key: str, value: EnvVar) -> Kind | None:
    """Return the kind of the datastore that a variable points to, outside of the file."""
    if value.origin not in {"secret_prompt", "literal"}:
        return None
    if value.address is not None and value.address.scheme:
        scheme = value.address.scheme.partition("+")[0]
        return _SCHEMES.get(value.address.scheme) or _SCHEMES.get(scheme)
    for kind, pattern in _KEYS:
        if pattern.search(key):
            return kind
    if not _DATABASE.search(key):
        return None
    named = [each for each in repository.schemas if key in each.env] or list(repository.schemas)
    provider = named[0].provider.value if named else None
    return _PROVIDERS.get(provider or "", "postgres")

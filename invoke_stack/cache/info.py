"""`cache.info`: version, memory, keys, persistence and clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from invoke_stack.cache import target
from invoke_stack.cache.target import Cache
from invoke_stack.project import Project

_KEYS = re.compile(r"keys=(\d+),expires=(\d+)")
_NAMES = {"valkey_version": "valkey", "dragonfly_version": "dragonfly", "redis_version": "redis"}


@dataclass(frozen=True, slots=True)
class Keys:
    """The number of keys of one database, and of those that expire."""

    keys: int
    expires: int


@dataclass(frozen=True, slots=True)
class Info:
    """What a cache says about itself.

    Attributes:
        memory: bytes in use.
        limit: bytes it may use, 0 for no limit.
        policy: what it does at the limit (`maxmemory-policy`).
        aof: every write goes to a file.
        rdb: when snapshots are written, as `save` has it; "" for never, None where it is secret.
        saved: the last snapshot succeeded.
        databases: keys by database number; empty ones are left out.
    """

    name: str
    version: str
    uptime_s: int
    memory: int
    limit: int
    policy: str
    aof: bool
    rdb: str | None
    saved: bool
    clients: int
    hits: int
    misses: int
    evicted: int
    databases: Mapping[int, Keys]

    @property
    def keys(self) -> int:
        """The number of keys in all databases."""
        return sum(each.keys for each in self.databases.values())

    @property
    def persistence(self) -> str:
        """What survives a restart, for people."""
        kinds = (["every write (AOF)"] if self.aof else []) + (["snapshots"] if self.rdb else [])
        failed = "" if self.saved else "; the last snapshot FAILED"
        return (" and ".join(kinds) or ("unknown" if self.rdb is None else "nothing")) + failed

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        databases = {str(number): asdict(each) for number, each in self.databases.items()}
        return {**asdict(self), "databases": databases, "keys": self.keys}


def info(project: Project, cache: Cache) -> Info:
    """Ask the cache about itself.

    Raises:
        UnreachableError: it does not answer, or lets nobody in.
    """
    return read(target.ask(project, cache, ["INFO", "CONFIG GET save"]))


def read(text: str) -> Info:
    """Return what `INFO` and `CONFIG GET save` print; what is missing is 0 or ""."""
    lines = [line.rstrip("\r") for line in text.splitlines()]
    pairs = dict(line.partition(":")[::2] for line in lines if ":" in line and line[0] != "#")
    version = next((key for key in _NAMES if pairs.get(key)), "redis_version")
    found = ((key[2:], _KEYS.match(value)) for key, value in pairs.items() if key[:2] == "db")
    databases = {
        int(number): Keys(int(keys[1]), int(keys[2]))
        for number, keys in found
        if number.isdecimal() and keys
    }
    return Info(
        name=_NAMES[version],
        version=pairs.get(version, ""),
        uptime_s=_number(pairs, "uptime_in_seconds"),
        memory=_number(pairs, "used_memory"),
        limit=_number(pairs, "maxmemory"),
        policy=pairs.get("maxmemory_policy", ""),
        aof=pairs.get("aof_enabled") == "1",
        rdb=_after(lines, "save"),
        saved=pairs.get("rdb_last_bgsave_status", "ok") == "ok",
        clients=_number(pairs, "connected_clients"),
        hits=_number(pairs, "keyspace_hits"),
        misses=_number(pairs, "keyspace_misses"),
        evicted=_number(pairs, "evicted_keys"),
        databases=dict(sorted(databases.items())),
    )


def _number(pairs: Mapping[str, str], key: str) -> int:
    text = pairs.get(key, "")
    return int(text) if text.isdecimal() else 0


def _after(lines: list[str], name: str) -> str | None:
    """Return the line after a setting's name; None where the command was refused."""
    if name not in lines:
        return None
    at = lines.index(name) + 1
    return lines[at].strip() if at < len(lines) else ""

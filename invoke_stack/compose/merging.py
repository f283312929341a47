"""How Compose puts one file's values over another's.

Mappings merge, lists grow, scalars are replaced; what deviates stands in `_SPECIAL`, and which
entries of a list are the same one in `_SAME`. The rules are those of compose-go (`override/`).
Paths are tuples of keys; `*` stands for any one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from invoke_stack.compose import scalars, volumes
from invoke_stack.errors import UsageError

Path: TypeAlias = tuple[str, ...]
_Merge: TypeAlias = Callable[[Any, Any, Path], Any]

_STARTED = {"condition": "service_started", "required": True}
_SHORTEST = 3
"""Keys of the shortest path with a rule of its own."""


def merged(low: Any, high: Any, path: Path = ()) -> Any:
    """Return ``high`` put over ``low``; neither is changed.

    Raises:
        UsageError: one is a list and the other a mapping; its place is the path.
    """
    special = _found(_SPECIAL, path)
    if special is not None:
        return special(low, high, path)
    if high is None:
        return low
    if isinstance(low, Mapping) and isinstance(high, Mapping):
        return _mappings(low, high, path)
    if isinstance(low, list) and isinstance(high, list):
        return [*low, *high]
    if isinstance(low, (Mapping, list)):
        raise UsageError(".".join(path), "cannot be overridden: a list here, a mapping there")
    return high


def unique(value: Any, path: Path = ()) -> Any:
    """Return a tree whose lists say everything once: the last word, at the first one's place."""
    if isinstance(value, Mapping):
        return {key: unique(each, (*path, key)) for key, each in value.items()}
    same = _found(_SAME, path) if isinstance(value, list) else None
    if same is None:
        return value
    return list({repr(same(each)): each for each in value}.values())


def _found(table: Mapping[Path, Any], path: Path) -> Any:
    if len(path) < _SHORTEST:
        return None
    # A name of the project's own stands second, and a limit's name below `ulimits`.
    inner = (*path[2:3], "*") if path[2:3] == ("ulimits",) and len(path) > _SHORTEST else path[2:]
    return table.get((path[0], "*", *inner))


def _mappings(low: Mapping[str, Any], high: Mapping[str, Any], path: Path) -> dict[str, Any]:
    result = dict(low)
    for key, each in high.items():
        fresh = key not in result or key.startswith("x-")
        result[key] = each if fresh else merged(result[key], each, (*path, key))
    return result


def _replaced(_low: Any, high: Any, _path: Path) -> Any:
    return high


def _sequence(low: Any, high: Any, _path: Path) -> list[Any]:
    return [*as_list(low), *as_list(high)]


def _fresh(low: Any, high: Any, _path: Path) -> list[Any]:
    known = as_list(low)
    return [*known, *(each for each in as_list(high) if each not in known)]


def _build(low: Any, high: Any, path: Path) -> dict[str, Any]:
    sides = [{"context": each} if isinstance(each, str) else each or {} for each in (low, high)]
    return _mappings(sides[0], sides[1], path)


def _depends_on(low: Any, high: Any, path: Path) -> dict[str, Any]:
    return _mappings(_named(low, _STARTED), _named(high, _STARTED), path)


def _networks(low: Any, high: Any, path: Path) -> dict[str, Any]:
    return _mappings(_named(low, None), _named(high, None), path)


def _named(value: Any, default: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {str(each): default for each in value or ()}


def as_list(value: Any) -> list[Any]:
    """Return `KEY=value` texts for a mapping, a list for everything else."""
    if isinstance(value, Mapping):
        return sorted(_pairs(value))
    if isinstance(value, str):
        return [value]
    return list(value or ())


def _pairs(value: Mapping[str, Any]) -> list[str]:
    found = []
    for key, each in value.items():
        several = each if isinstance(each, list) else [each]
        found += [str(key) if it is None else f"{key}={scalars.text(it)}" for it in several]
    return found


def _key(entry: Any) -> Any:
    return str(entry).partition("=")[0]


def _env_file(entry: Any) -> Any:
    return entry.get("path") if isinstance(entry, Mapping) else entry


def _port(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return str(entry)
    host, published = entry.get("host_ip", "0.0.0.0"), entry.get("published")  # noqa: S104
    # `8080` and `"8080"` are two ports for Compose, too.
    kind = type(published).__name__
    return host, kind, published, str(entry.get("target")), entry.get("protocol", "tcp")


def _volume(entry: Any) -> Any:
    long = entry if isinstance(entry, Mapping) else volumes.long(str(entry))
    return long.get("target") if isinstance(long, Mapping) else long


_SERVICE = ("services", "*")
_BUILD = (*_SERVICE, "build")
_SPECIAL: Mapping[Path, _Merge] = {
    _BUILD: _build,
    **{
        (*_BUILD, key): _sequence for key in ("args", "additional_contexts", "labels")
    },
    (*_SERVICE, "depends_on"): _depends_on,
    (*_SERVICE, "networks"): _networks,
    (*_SERVICE, "healthcheck", "test"): _replaced,
    (*_SERVICE, "ulimits", "*"): _replaced,
    (*_SERVICE, "deploy", "labels"): _sequence,
    **{(*_SERVICE, key): _replaced for key in ("command", "entrypoint")},
    **{(*above, "extra_hosts"): _fresh for above in (_SERVICE, _BUILD)},
    **{
        (*_SERVICE, key): _sequence
        for key in (
            "annotations", "dns", "dns_opt", "dns_search", "env_file", "environment",
            "label_file", "labels", "sysctls", "tmpfs",
        )
    },
    **{(kind, "*", "labels"): _sequence for kind in ("networks", "volumes")},
}  # fmt: skip
_SAME: Mapping[Path, Callable[[Any], Any]] = {
    **{
        (*_BUILD, key): _key for key in ("args", "additional_contexts", "labels", "tags")
    },
    **{
        (*_SERVICE, key): _key
        for key in (
            "annotations", "cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "environment",
            "expose", "labels", "links", "profiles", "sysctls", "tmpfs",
        )
    },
    (*_SERVICE, "env_file"): _env_file,
    (*_SERVICE, "ports"): _port,
    (*_SERVICE, "volumes"): _volume,
}  # fmt: skip

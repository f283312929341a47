"""Short forms and what is left out, spelled out as Compose spells them out.

The rules are those of compose-go (`transform/`, `paths/` and `loader/normalize.go`), as far as
something here reads what they touch.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from invoke_stack.compose import ports, volumes
from invoke_stack.compose.interpolation import Lookup
from invoke_stack.compose.tolerant import mapping

_STARTED = {"condition": "service_started", "required": True}
_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:")
_SHARED = ("network_mode", "ipc", "pid", "uts", "cgroup")
_SERVICE = "service:"


def long(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service with the short forms written out."""
    return {key: _LONG[key](value) if key in _LONG else value for key, value in body.items()}


def _depends_on(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: {**_STARTED, **mapping(each)} for name, each in value.items()}
    return {str(each): dict(_STARTED) for each in value or ()}


def _env_file(value: Any) -> Any:
    entries = [value] if isinstance(value, str) else value or ()
    return [
        {"required": True, **each}
        if isinstance(each, Mapping)
        else {"path": str(each), "required": True}
        for each in entries
    ]


def _networks(value: Any) -> Any:
    return {str(each): None for each in value} if isinstance(value, list) else value


def _volumes(value: Any) -> Any:
    return [volumes.long(each) if isinstance(each, str) else each for each in value or ()]


def _words(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _build(value: Any) -> Any:
    if isinstance(value, str):
        return {"context": value}
    return {
        key: _BUILD[key](each) if key in _BUILD else each for key, each in mapping(value).items()
    }


def _pairs(value: Any) -> Any:
    if not isinstance(value, list) or any("=" not in str(each) for each in value):
        return value
    return dict(str(each).split("=", 1) for each in value)


def _keys(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    cut = [str(each).partition("=") for each in value]
    return {key: path if equals else None for key, equals, path in cut}


def _mounts(value: Any) -> Any:
    return [{"source": each} if isinstance(each, str) else each for each in value or ()]


_BUILD: Mapping[str, Callable[[Any], Any]] = {
    "additional_contexts": _pairs,
    "ssh": _keys,
    "secrets": _mounts,
}
_LONG: Mapping[str, Callable[[Any], Any]] = {
    "build": _build,
    "configs": _mounts,
    "depends_on": _depends_on,
    "dns": _words,
    "env_file": _env_file,
    "label_file": _words,
    "networks": _networks,
    "ports": ports.long,
    "secrets": _mounts,
    "volumes": _volumes,
}


class Complete:
    """Writes into a merged service what Compose adds to it.

    Args:
        folder: Compose's project directory, absolute.
        lookup: values of variables that are named without one.
        home: what `~` stands for; without one it is a folder like any other, as for Compose.
    """

    def __init__(self, folder: Path, lookup: Lookup, home: str) -> None:
        self._folder = folder
        self._lookup = lookup
        self._home = home

    def service(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole service."""
        result = dict(body)
        if body.get("build") is not None:
            result["build"] = self._build(mapping(body["build"]))
        if "environment" in body:
            result["environment"] = self._resolved(body["environment"], keep=True)
        if "env_file" in body:
            files = body["env_file"] or ()
            result["env_file"] = [{**each, "path": self._path(each.get("path"))} for each in files]
        if "volumes" in body:
            result["volumes"] = [self._volume(each) for each in body["volumes"] or ()]
        if "ports" in body:
            result["ports"] = [_with_defaults(each) for each in body["ports"] or ()]
        needed = {**_implied(body), **mapping(body.get("depends_on"))}
        return {**result, "depends_on": needed} if needed else result

    def _build(self, body: Mapping[str, Any]) -> dict[str, Any]:
        result = {"context": ".", **body}
        result["context"] = self._context(result["context"])
        if result.get("dockerfile") is None and result.get("dockerfile_inline") is None:
            result["dockerfile"] = "Dockerfile"
        if "args" in body:
            result["args"] = self._resolved(body["args"], keep=False)
        if isinstance(body.get("additional_contexts"), Mapping):
            found = body["additional_contexts"]
            result["additional_contexts"] = {key: self._context(found[key]) for key in found}
        return result

    def _resolved(self, value: Any, *, keep: bool) -> Any:
        """Give variables without a value that of the environment."""
        if isinstance(value, Mapping):
            found = {
                key: self._lookup(key) if each is None else each for key, each in value.items()
            }
            return {key: each for key, each in found.items() if keep or each is not None}
        resolved = []
        for each in map(str, value or ()):
            known = None if "=" in each else self._lookup(each)
            if known is not None:
                resolved.append(f"{each}={known}")
            elif keep or "=" in each:
                resolved.append(each)
        return resolved or None  # as Compose prints a list that nothing is left of

    def _volume(self, entry: Any) -> Any:
        if not isinstance(entry, Mapping):
            return entry
        result = {**entry, "target": _cleaned(str(entry.get("target") or ""))}
        if entry.get("type") == "bind" and "source" in entry:
            result["source"] = self._path(entry["source"])
        return result

    def _context(self, value: Any) -> Any:
        text = str(value)
        return value if "://" in text or text.startswith(_REMOTE) else self._path(text)

    def _path(self, value: Any) -> str:
        text = str(value)
        if text.startswith("~") and self._home:
            text = f"{self._home}/{text[1:]}"
        elif not text or Path(text).is_absolute() or text[1:3] in (":\\", ":/"):
            return text
        return os.path.normpath(self._folder / text)


def _implied(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the services that others are named by than `depends_on`."""
    found: dict[str, Any] = {}
    for each in body.get("links") or ():
        parts = str(each).split(":")
        found[parts[0] if len(parts) == len(("service", "alias")) else str(each)] = {
            **_STARTED, "restart": True,
        }  # fmt: skip
    for key in _SHARED:
        text = str(body.get(key) or "")
        if text.startswith(_SERVICE):
            found.setdefault(text.removeprefix(_SERVICE), {**_STARTED, "restart": True})
    for each in body.get("volumes_from") or ():
        if not str(each).startswith("container:"):
            found.setdefault(str(each).split(":")[0], {**_STARTED, "restart": False})
    return found


def _with_defaults(entry: Any) -> Any:
    return {"protocol": "tcp", "mode": "ingress", **entry} if isinstance(entry, Mapping) else entry


def _cleaned(target: str) -> str:
    """Return a path inside a container without what it can do without."""
    return posixpath.normpath(target).replace("//", "/", 1) if target else "."

"""The short form of a volume, taken apart as Compose does it (compose-go, `format/volume.go`)."""

from __future__ import annotations

import posixpath
from typing import Any

_SHORTEST = 2
_SELINUX = ("z", "Z")
_PROPAGATION = ("private", "rprivate", "shared", "rshared", "slave", "rslave")


def long(text: str) -> dict[str, Any] | str:
    """Return the long form of `[source:]target[:options]`; the text where it has none."""
    if len(text.encode()) <= _SHORTEST:
        return {"type": "volume", "target": text} if text else text
    parts = _parts(text)
    if not all(parts):
        return text
    *before, target = parts[:2]
    options = parts[2:]
    if len(options) > 1:
        return text
    source = before[0] if before else ""
    found: dict[str, Any] = {"source": source} if source else {}
    found["target"] = posixpath.normpath(target)
    if found["target"].startswith("//"):
        found["target"] = found["target"][1:]
    bind: dict[str, Any] = {}
    for option in options[0].split(",") if options else ():
        _apply(option, found, bind)
    if _is_path(source):
        return {**found, "type": "bind", "bind": {**bind, "create_host_path": True}}
    extra = {"bind": bind} if bind else {}
    return {"volume": {}, **found, "type": "volume", **extra}


def _apply(option: str, found: dict[str, Any], bind: dict[str, Any]) -> None:
    if option == "ro":
        found["read_only"] = True
    elif option == "rw":
        found.pop("read_only", None)
    elif option == "nocopy":
        found["volume"] = {"nocopy": True}
    elif option in _SELINUX:
        bind["selinux"] = option
    elif option in _PROPAGATION:
        bind["propagation"] = option


def _parts(text: str) -> list[str]:
    """Split at the colons; the one of a Windows drive separates nothing."""
    parts = [""]
    for char in text:
        if char == ":" and not (len(parts[-1]) == 1 and parts[-1].isalpha()):
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _is_path(source: str) -> bool:
    drive = source[:1].isalpha() and source[1:2] == ":"
    return source.startswith((".", "/", "~", "\\\\")) or drive

"""Ports as Compose prints them: mappings, or short texts where nothing was interpolated."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from invoke_stack.compose.tolerant import mapping, number

# A part of a short port; the colons inside `${…}` and `[…]` separate nothing.
_PART = re.compile(r"(?:\$\{(?:\{[^{}]*\}|[^{}])*\}|\[[^\]]*\]|[^:])+")

_HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class Port:
    """A container port; ``published`` is None where the engine chooses or nothing is published."""

    service: str
    target: int
    published: int | None
    protocol: str = "tcp"
    host: str = ""


def read(service: str, entries: Any) -> Iterator[Port]:
    """Yield the ports in a service's `ports:`."""
    for entry in entries:
        if isinstance(entry, Mapping):
            yield from _long_port(service, entry)
        else:
            yield from _short_port(service, str(entry))


def _long_port(service: str, entry: Mapping[str, Any]) -> Iterator[Port]:
    target = number(entry.get("target")) or 0
    protocol, host = str(entry.get("protocol") or "tcp"), str(entry.get("host_ip") or "")
    # A range ("8000-8010") lets the engine choose, like no number at all.
    yield Port(service, target, number(entry.get("published")), protocol, host)


def _short_port(service: str, text: str) -> Iterator[Port]:
    """Read `[host:][published:]target[/protocol]`, as `--no-interpolate` prints it."""
    spec, _, protocol = text.partition("/")
    parts = re.match(r"^(?:(?P<host>.*):)?(?:(?P<published>[^:]*):)(?P<target>[^:]+)$", spec)
    target = parts["target"] if parts else spec
    published = parts["published"] if parts else ""
    numbers = _range(published)
    for index, inside in enumerate(_range(target)):
        chosen = numbers[index] if index < len(numbers) else None
        host = (parts["host"] or "") if parts else ""
        yield Port(service, inside, chosen, protocol or "tcp", host.strip("[]"))


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return []
    return list(range(int(first), int(last or first) + 1)[:65536])


def long(entries: Any) -> Any:
    """Return short ports in their long form, or all as they are where one cannot be read.

    The rules are those of Docker's `nat.ParsePortSpec`: a range of published ports belongs to a
    range of the same length, or lets the engine choose for a single port.
    """
    found: list[Any] = []
    for entry in entries or ():
        if isinstance(entry, Mapping):
            found.append(entry)
            continue
        spelled = _spelled_out(str(entry))
        if spelled is None:
            return entries
        found += spelled
    return found


def _spelled_out(text: str) -> list[dict[str, Any]] | None:
    head, _, last = text.rpartition(":")
    host, _, outside = head.rpartition(":")
    inside, _, protocol = last.partition("/")
    protocol = (protocol.partition("/")[0] or "tcp").lower()
    targets, published = _bounds(inside), _bounds(outside) if outside else None
    if (
        targets is None
        or (outside and published is None)
        or protocol not in ("tcp", "udp", "sctp")
        or not _is_address(host)
    ):
        return None
    count = targets[1] - targets[0]
    if published and published[1] - published[0] != count and count:
        return None
    rows = []
    for index in range(count + 1):
        row = {"mode": "ingress", "target": targets[0] + index, "protocol": protocol}
        row |= {"published": _published(published, index, single=not count)} if published else {}
        rows.append(row | ({"host_ip": host.strip("[]")} if host else {}))
    return sorted(rows, key=lambda row: f"{row['target']}/{protocol}")


def _published(bounds: tuple[int, int], index: int, *, single: bool) -> str:
    first = str(bounds[0] + index)
    return f"{first}-{bounds[1]}" if single and bounds[0] != bounds[1] else first


def _bounds(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return None
    low, high = int(first), int(last or first)
    return (low, high) if low <= high <= _HIGHEST else None


def _is_address(host: str) -> bool:
    if host.startswith("[") != host.endswith("]"):
        return False
    try:
        return not host or bool(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return False


def variables(document: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    """Return which variable decides a published port, by service and container port.

    ``document`` is Compose's JSON before interpolation.
    """
    found = {}
    for name, body in mapping(document.get("services")).items():
        for entry in mapping(body).get("ports") or ():
            if isinstance(entry, Mapping):
                published, target = str(entry.get("published")), str(entry.get("target"))
            else:
                *_, published, target = ("", *_PART.findall(str(entry).partition("/")[0]))
            variable = re.search(r"\$\{?(\w+)", published)
            if variable and target.isdigit():
                found[name, int(target)] = variable[1]
    return found

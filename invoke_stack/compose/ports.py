"""Ports as Compose prints them: mappings, or short texts where nothing was interpolated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from invoke_stack.compose.tolerant import mapping, number

# A part of a short port; the colons inside `${…}` and `[…]` separate nothing.
_PART = re.compile(r"(?:\$\{(?:\{[^{}]*\}|[^{}])*\}|\[[^\]]*\]|[^:])+")


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

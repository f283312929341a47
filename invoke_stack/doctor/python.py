"""Python, Invoke and this library."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata

from invoke_stack.doctor.line import Line, ok, wrong
from invoke_stack.doctor.patient import Patient

LIBRARIES = ("invoke", "docker", "PyYAML", "python-dotenv", "rich")


def versions(patient: Patient) -> Iterator[Line]:  # noqa: ARG001 - as every check
    """Tell the versions that a report of a bug needs, and which are too old."""
    required = metadata.requires("invoke-stack") or ()
    for name in LIBRARIES:
        yield from old(name, metadata.version(name), required)
    found = ", ".join(f"{name} {metadata.version(name)}" for name in ("invoke-stack", "invoke"))
    yield ok("DOC-PYTHON", "python", f"Python {platform.python_version()}, {found}")


def old(name: str, has: str, required: list[str] | tuple[str, ...]) -> Iterator[Line]:
    """Tell when a library is older than what this one was made for."""
    wanted = re.compile(rf"{re.escape(name)}\b[^;]*?>=\s*([\d.]+)", re.IGNORECASE)
    floor = next((found[1] for each in required if (found := wanted.match(each))), "")
    if floor and _numbers(has) < _numbers(floor):
        message = f"version {has} is older than {floor}, which invoke-stack needs"
        yield wrong("DOC-PYTHON", name, message, f"pip install --upgrade '{name}>={floor}'")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:3])

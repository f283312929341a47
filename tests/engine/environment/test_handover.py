"""Values arrive inside a real container byte for byte, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

DATA = Path(__file__).parents[2] / "data" / "nasty-values.json"
LONG = "z" * 100_000
WAYS = {
    "listed": "environment: [{names}]",
    "interpolated": "environment: {{{references}}}",
    "filed": "env_file: [app.env]",
}


def values() -> dict[str, str]:
    nasty = [*json.loads(DATA.read_text()), "trailing ", LONG]
    assert len(nasty) >= 70
    return {f"K{number}": text for number, text in enumerate(nasty)}


@pytest.fixture(scope="module")
def stack(shared_project: Callable[..., Project]) -> Project:
    keys = list(values())
    names = ", ".join(keys)
    references = ", ".join(f'{key}: "${{{key}}}"' for key in keys)
    # `init`, because PID 1 keeps its environment as it was given; some programs write over it.
    base = "image: redis:7-alpine\n    command: sleep 100000\n    init: true"
    services = "".join(f"  {name}:\n    {base}\n    {way}\n" for name, way in WAYS.items())
    services = services.format(names=names, references=references)
    bare = "".join(f"{key}\n" for key in keys)
    project = shared_project(compose=f"services:\n{services}", **{"app.env": bare, ".env": bare})
    project.environ.update(values())
    project.up()
    return project


@pytest.mark.parametrize("way", WAYS)
def test_every_value_arrives_byte_for_byte(stack: Project, way: str) -> None:
    shown = "cat /proc/1/environ | od -An -v -tx1 | tr -d ' \\n'"
    result = stack.inv("stack.exec", "-s", way, "--", "sh", "-c", shown).ok()

    entries = bytes.fromhex(result.stdout.strip()).split(b"\0")
    arrived = dict(entry.partition(b"=")[::2] for entry in entries if entry)
    expected = {key: text.encode() for key, text in values().items()}
    assert {key: arrived.get(key.encode()) for key in expected} == expected

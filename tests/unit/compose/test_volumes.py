from __future__ import annotations

from typing import Any

import pytest

from invoke_stack.compose.volumes import long

BIND = {"type": "bind", "bind": {"create_host_path": True}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/x/../data/", {"type": "volume", "target": "/data", "volume": {}}),
        ("db:/data", {"type": "volume", "source": "db", "target": "/data", "volume": {}}),
        ("./src:/app:ro", {**BIND, "source": "./src", "target": "/app", "read_only": True}),
        ("./src:/app:ro,rw", {**BIND, "source": "./src", "target": "/app"}),
        ("~/x:/y", {**BIND, "source": "~/x", "target": "/y"}),
        ("C:\\src:/app", {**BIND, "source": "C:\\src", "target": "/app"}),
        (
            "/a:/b:z,rshared",
            {
                "type": "bind",
                "source": "/a",
                "target": "/b",
                "bind": {"selinux": "z", "propagation": "rshared", "create_host_path": True},
            },
        ),
        (
            "vol:/d:nocopy",
            {"type": "volume", "source": "vol", "target": "/d", "volume": {"nocopy": True}},
        ),
        ("/d", {"type": "volume", "target": "/d"}),
        ("v:/d:ro", {**BIND, "source": "v:/d", "target": "ro"}),  # a drive, for Compose
    ],
)
def test_a_short_volume_is_spelled_out(text: str, expected: dict[str, Any]) -> None:
    assert long(text) == expected


@pytest.mark.parametrize("text", ["", "one::b", ":/x", "one:two:ro:three:four"])
def test_what_is_no_volume_stays_as_written(text: str) -> None:
    assert long(text) == text

from __future__ import annotations

from typing import Any

import pytest

from invoke_stack.compose import nodes, scalars


def value(text: str) -> Any:
    return scalars.value(nodes.read(f"a: {text}\n", "f").get("a"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("3000", 3000),
        ("-1", -1),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("08", 8),
        ("1.50", 1.5),
        ("1.0", 1),
        ("1e3", 1000),
        (".5", 0.5),
        ("22:22", "22:22"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ('""', ""),
    ],
)
def test_a_scalar_is_what_compose_takes_it_for(text: str, expected: Any) -> None:
    found = value(text) if text != "-" else scalars.value(nodes.read("a: '-'", "f").get("a"))

    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(("plain", "text"), [(True, "true"), (8, "8"), (1.5, "1.5"), ("x", "x")])
def test_it_is_written_behind_an_equals_sign_as_compose_writes_it(plain: Any, text: str) -> None:
    assert scalars.text(plain) == text

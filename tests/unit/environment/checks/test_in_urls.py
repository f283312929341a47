"""A generated secret of another alphabet inside a URL: said before a program cannot log in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Told = Callable[..., list[tuple[str, str, str]]]
BROKEN = "Zm9v/YmFy+c2VjcmV0Zm9vYmFyc2VjcmV0Zm9vYmE="


def urls(found: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(severity, subject) for rule, severity, subject in found if rule == "ENV-URL"]


@pytest.mark.parametrize(("mode", "severity"), [("", "warning"), ("prod", "error")])
def test_a_password_with_a_slash_is_told_where_a_url_refers_to_it(
    told: Told, mode: str, severity: str
) -> None:
    found = told({".env": f"DB_PW={BROKEN}\nDB_URL=postgresql://u:${{DB_PW}}@h/d\n"}, mode=mode)

    assert urls(found) == [(severity, "DB_PW")]


def test_it_is_told_where_the_compose_file_puts_the_url_together(told: Told) -> None:
    compose = 'services: {web: {image: x, environment: {U: "redis://:${PW:?set it}@cache/0"}}}\n'

    assert urls(told({".env": f"PW={BROKEN}\n", "compose.yaml": compose})) == [("warning", "PW")]


@pytest.mark.parametrize(
    "text",
    [
        "DB_PW=abcDEF+123=\nDB_URL=postgresql://u:${DB_PW}@h/d\n",
        "HOST=h/path\nDB_URL=https://${HOST}/x\n",
        f"DB_PW={BROKEN}\nNAME=${{DB_PW}}\n",
        "DB=a/b\nDB_URL=postgresql://u:p@h/${DB}\n",
    ],
)
def test_a_value_that_breaks_nothing_is_not(told: Told, text: str) -> None:
    assert urls(told({".env": text})) == []

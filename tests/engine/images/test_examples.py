"""The examples build into small images, and `image.check` lets them pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stacks import Project

LARGEST = 500_000_000
UNLABELLED = "IMG109"
"""Whose image it is would be the address of a repository that an example does not have."""


@pytest.mark.parametrize("layout", ["hybrid", "selfhosted", "profiles", "backend"])
def test_an_example_builds_small_and_passes(project: Callable[..., Project], layout: str) -> None:
    example = project(layout)
    built = example.inv("image.build", "--prod", "--json", timeout=300).ok().document["images"]
    assert built
    assert max(each["bytes"] for each in built) < LARGEST

    report = example.inv("image.check", "--prod", "--json").ok().document
    found = {(each["rule"], each["severity"]) for each in report["findings"]}
    assert found == {(UNLABELLED, "info")}
    assert report["unknowns"] == []
    passed = {each["rule"] for each in report["passes"]}
    assert {"IMG101", "IMG102", "IMG103", "IMG106", "IMG108", "IMG110", "IMG113"} <= passed

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.images import budget
from invoke_stack.images.budget import Budget
from invoke_stack.images.layers import Image, Layer
from invoke_stack.images.source import Source
from invoke_stack.project import Project

MakeProject = Callable[..., Project]

IMAGE = Image(
    "web",
    "shop-web",
    "sha256:1",
    600_000_000,
    (
        Layer(100_000_000, "imported"),
        Layer(450_000_000, "RUN npm ci", "Dockerfile", 7),
        Layer(50_000_000, "COPY . .", "Dockerfile", 8),
        Layer(0, "WORKDIR /app", "Dockerfile", 6),
    ),
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500MB", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("1GiB", 1024**3),
        (700, 700),
        ("9k", 9000),
    ],
)
def test_sizes(text: Any, count: int) -> None:
    assert budget.bytes_of(text, "x") == count


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", Budget()),
        ("500MB", Budget(error=500_000_000)),
        ({"warning": "1MB", "error": "2MB"}, Budget(1_000_000, 2_000_000)),
        ({"web": "3MB", "default": "1MB"}, Budget(error=3_000_000)),
        ({"api": "3MB", "default": {"warning": "1MB"}}, Budget(warning=1_000_000)),
        ({"api": "3MB"}, Budget()),
    ],
)
def test_a_budget_is_for_all_services_or_for_one(
    make_project: MakeProject, setting: Any, expected: Budget
) -> None:
    assert budget.of(make_project({"image": {"budget": setting}}), "web") == expected


@pytest.mark.parametrize(
    ("setting", "where"),
    [
        ("big", "stack.image.budget"),
        ({"web": "big"}, "stack.image.budget.web"),
        ({"web": {"error": "big"}}, "stack.image.budget.web.error"),
        ({"web": {"eror": "1MB"}}, "stack.image.budget.web.eror"),
        (True, "stack.image.budget"),
    ],
)
def test_a_broken_budget_names_its_place(
    make_project: MakeProject, setting: Any, where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        budget.of(make_project({"image": {"budget": setting}}), "web")

    assert where in str(caught.value)
    assert "500MB" in caught.value.hint


def test_over_the_budget_the_biggest_layers_are_named_with_what_helps(
    make_project: MakeProject,
) -> None:
    project = make_project({"image": {"budget": {"warning": "400MB", "error": "500MB"}}})

    found = budget.check(project, IMAGE, Source("Dockerfile"))

    assert found is not None
    assert (found.rule, found.severity) == ("IMG201", "error")
    lines = found.message.splitlines()
    assert lines[0].startswith("shop-web has 600 MB, 100 MB over its budget of 500 MB")
    assert lines[1] == "450 MB  RUN npm ci (Dockerfile:7)"
    assert "npm ci --omit=dev" in found.fix
    assert ".dockerignore" in found.fix
    assert "smaller base image" in found.fix
    assert str(found.where[0]) == "Dockerfile:7"


def test_between_the_levels_it_is_a_warning_and_below_nothing(make_project: MakeProject) -> None:
    def severity(warning: str, error: str) -> str:
        setting = {"warning": warning, "error": error}
        found = budget.check(
            make_project({"image": {"budget": setting}}), IMAGE, Source("Dockerfile")
        )
        return found.severity if found else ""

    assert severity("500MB", "700MB") == "warning"
    assert severity("600MB", "700MB") == ""

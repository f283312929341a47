"""Rules about the Dockerfile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.images.checks import dockerfiles
from invoke_stack.images.checks.subject import Subject

MakeSubject = Callable[..., Subject]


@pytest.mark.parametrize(
    ("image", "floats"),
    [
        ("node", True),
        ("node:latest", True),
        ("node:alpine", True),
        ("node:lts-slim", True),
        ("registry.example:5000/team/node", True),
        ("node:22-alpine", False),
        ("node:22.16.0-alpine3.20", False),
        ("node@sha256:" + "a" * 64, False),
        ("scratch", False),
    ],
)
def test_a_base_without_any_version_floats(image: str, floats: bool) -> None:  # noqa: FBT001 - a table
    assert dockerfiles.floats(image) is floats


def test_each_floating_base_is_told_once_with_a_pinned_one(make_subject: MakeSubject) -> None:
    text = "FROM node:alpine AS a\nFROM node:alpine AS b\nCOPY --from=a /x /x\n"

    (finding,) = dockerfiles.check(make_subject(text=text))

    assert finding.fix == "FROM node:22-alpine"
    assert str(finding.where[0]) == "Dockerfile:1"


STAGES = """\
FROM node:22 AS deps
FROM node:22 AS builder
COPY --from=deps /x /x
FROM builder AS dev
FROM node:22 AS runner
RUN --mount=type=bind,from=builder,target=/b cp /b/x /x
FROM runner AS debug
"""


@pytest.mark.parametrize(
    ("target", "production", "told"),
    [
        ("deps", True, "builds the stage deps, which builder is made from"),
        ("builder", True, "builds the stage builder, which runner is made from"),
        ("dev", True, "builds the stage dev"),
        ("", True, "builds the stage debug"),
        ("dev", False, ""),
        ("builder", False, ""),
    ],
)
def test_in_production_a_stage_for_building_is_a_wrong_target(
    make_subject: MakeSubject,
    target: str,
    production: bool,  # noqa: FBT001 - a table
    told: str,
) -> None:
    found = list(dockerfiles.check(make_subject(text=STAGES, target=target, production=production)))

    assert [each.message for each in found] == ([told] if told else [])
    assert all("{target: runner}" in each.fix for each in found)


def test_the_last_stage_is_the_right_one(make_subject: MakeSubject) -> None:
    assert list(dockerfiles.check(make_subject())) == []

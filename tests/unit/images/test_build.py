from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.compose import model
from invoke_stack.images import build
from invoke_stack.images.build import Hits
from invoke_stack.images.buildlog import BuildLog
from invoke_stack.images.source import Source
from invoke_stack.images.targets import Target

MakeSource = Callable[..., Source]

ONE = "FROM node:22\nRUN make\n"
TWO = "FROM node:22 AS deps\nRUN make\nFROM node:22\nRUN make\n"
LOG = "#1 [web {} 2/2] RUN make\n#1 CACHED\n#2 [web {} 2/2] RUN other\n#2 DONE 1s\n"


@pytest.mark.parametrize(
    ("text", "stages", "expected"),
    [
        (TWO, ("deps", "stage-1"), {("deps", 1, 1), ("stage-1", 0, 1)}),
        (TWO, ("deps", "runner"), {("deps", 1, 1), ("shared", 0, 1)}),
        (ONE, ("", "runner"), {("", 1, 2)}),
        ("", ("deps", "x"), {("deps", 1, 1), ("x", 0, 1)}),
    ],
)
def test_a_step_of_another_services_stage_is_a_shared_one(
    make_source: MakeSource,
    text: str,
    stages: tuple[str, str],
    expected: set[tuple[str, int, int]],
) -> None:
    found = hits(make_source, text, stages)

    assert {(each.stage, each.cached, each.steps) for each in found} == expected


@pytest.mark.parametrize(
    ("text", "stages", "labels"),
    [
        (TWO, ("deps", "stage-1"), {"deps", "stage-1 (node:22)"}),
        (TWO, ("deps", "runner"), {"deps", "shared"}),
        (ONE, ("", "runner"), {"node:22"}),
        ("FROM node:22@sha256:1\nRUN make\n", ("", ""), {"node:22"}),
        ("FROM node:22 AS app\nRUN make\n", ("", ""), {"app"}),
        ("", ("", ""), {"steps"}),
    ],
)
def test_a_stage_without_a_name_is_told_by_its_base_image(
    make_source: MakeSource, text: str, stages: tuple[str, str], labels: set[str]
) -> None:
    assert {each.label for each in hits(make_source, text, stages)} == labels


def hits(make_source: MakeSource, text: str, stages: tuple[str, str]) -> tuple[Hits, ...]:
    """Return the hits of `web`, whose Dockerfile it is, in a build of two services."""
    service = model.parse({"services": {"web": {"build": "."}}}).services["web"]
    source = make_source(text) if text else Source("Dockerfile")
    log = BuildLog(("web", "api"))
    for line in LOG.format(*stages).splitlines():
        log.feed(line)

    return build.hits(Target(service, "t", "", {}, source), log)

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
        (TWO, ("deps", "stage-1"), {Hits("deps", 1, 1), Hits("stage-1", 0, 1)}),
        (TWO, ("deps", "runner"), {Hits("deps", 1, 1), Hits("shared", 0, 1)}),
        (ONE, ("", "runner"), {Hits("", 1, 2)}),
        ("", ("deps", "x"), {Hits("deps", 1, 1), Hits("x", 0, 1)}),
    ],
)
def test_a_step_of_another_services_stage_is_a_shared_one(
    make_source: MakeSource, text: str, stages: tuple[str, str], expected: set[Hits]
) -> None:
    service = model.parse({"services": {"web": {"build": "."}}}).services["web"]
    source = make_source(text) if text else Source("Dockerfile")
    log = BuildLog(("web", "api"))
    for line in LOG.format(*stages).splitlines():
        log.feed(line)

    assert set(build.hits(Target(service, "t", "", {}, source), log)) == expected

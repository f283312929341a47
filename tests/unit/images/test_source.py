from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.images.buildlog import Step
from invoke_stack.images.source import Source, keyword
from invoke_stack.project import Project

MakeSource = Callable[..., Source]
MakeProject = Callable[..., Project]

TEXT = """\
ARG BASE=node:22-alpine
FROM ${BASE} AS base
WORKDIR /app

FROM base AS deps
# the lock file
COPY package.json \\
     package-lock.json ./
RUN npm ci

FROM base
ENV A=1
COPY --from=deps /app /app
USER node
"""


def step(stage: str, index: int) -> Step:
    return Step(1, "web", stage, index, 9, "RUN")


@pytest.mark.parametrize(
    ("stage", "index", "line"),
    [
        ("base", 1, 2),
        ("base", 2, 3),
        ("deps", 1, 7),  # a stage on a stage has no step for its FROM
        ("deps", 2, 9),
        ("stage-2", 1, 13),
        ("deps", 9, 5),
        ("other", 1, 0),
        ("deps", 0, 0),
    ],
)
def test_a_step_of_the_build_has_its_line(
    make_source: MakeSource, stage: str, index: int, line: int
) -> None:
    assert make_source(TEXT).line(step(stage, index)) == line


def test_the_only_stage_needs_no_name(make_source: MakeSource) -> None:
    found = make_source("FROM redis\nRUN make\n")

    assert found.line(step("", 2)) == 2
    assert found.line(step("stage-0", 2)) == 2


def test_history_is_paired_with_instructions_from_the_end(make_source: MakeSource) -> None:
    history = [
        "USER node",
        "COPY /app /app # buildkit",
        "ENV A=1",
        "WORKDIR /app",
        'CMD ["node"]',
        "RUN /bin/sh -c useradd node # buildkit",
    ]

    found = make_source(TEXT).made_by("", history)

    assert [each[1] if each else None for each in found] == [14, 13, 12, 3, None, None]


def test_an_image_of_another_dockerfile_is_paired_as_far_as_it_fits(
    make_source: MakeSource,
) -> None:
    found = make_source(TEXT).made_by("", ["USER node", "RUN /bin/sh -c x", "ENV A=1"])

    assert [each[1] if each else None for each in found] == [14, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN"),
        ("/bin/sh -c make", "RUN"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', "CMD"),
        ("COPY a b # buildkit", "COPY"),
        ("", ""),
    ],
)
def test_keywords_of_history(text: str, expected: str) -> None:
    assert keyword(text) == expected


def test_a_dockerfile_is_read_with_the_arguments_that_choose_its_base(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()
    (tmp_path / "Dockerfile.web").write_text(TEXT)
    build = {"context": str(tmp_path), "dockerfile": "Dockerfile.web"}

    found = Source.read(project, build, "compose.yaml", {"BASE": "node:24"})

    assert found.dockerfile is not None
    assert found.dockerfile.stages[0].image == "node:24"
    assert found.arguments == ("BASE",)


def test_what_cannot_be_read_has_no_stages_and_is_no_error(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project()
    (tmp_path / "Dockerfile").write_text("NOT A DOCKERFILE {\n")
    for build in (
        {"context": "https://git.example/shop.git"},
        {"context": str(tmp_path), "dockerfile": "missing"},
        {"context": str(tmp_path)},
    ):
        assert Source.read(project, build, "compose.yaml", {}).arguments == ()


def test_a_dockerfile_inside_the_compose_file_has_no_lines_of_its_own(
    make_project: MakeProject, tmp_path: Path
) -> None:
    build = {"context": str(tmp_path), "dockerfile_inline": "FROM redis\nRUN make\n"}

    found = Source.read(make_project(), build, "compose.yaml", {})

    assert found.dockerfile is not None
    assert str(found.place(2)) == "compose.yaml"

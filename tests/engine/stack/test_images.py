"""Images: builds that fail, builds of two modes under one name, images that cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks import Project

BUILT = "services: {app: {build: .}}\n"


def test_a_build_that_fails_shows_the_step_and_what_it_printed(
    project: Callable[..., Project],
) -> None:
    stack = project(
        compose=BUILT,
        Dockerfile="FROM redis:7-alpine\nRUN echo fine\nRUN echo no such lockfile; exit 9\n",
    )
    result = stack.inv("stack.up")
    assert result.code == 1
    assert result.error == "app: the build failed at: echo no such lockfile; exit 9"
    after = result.stderr.partition("error: ")[2]
    assert "no such lockfile" in after.partition("\n")[2]
    assert "Dockerfile" in result.hint
    assert stack.containers() == {}


def test_a_dockerfile_that_does_not_exist_is_named(project: Callable[..., Project]) -> None:
    stack = project(compose=BUILT)
    result = stack.inv("stack.up")
    assert result.code == 2
    assert result.error == "app: nothing to build from: no Dockerfile"
    assert result.hint == "write it, or correct `context:` and `dockerfile:` below `build:`"
    assert stack.containers() == {}


def test_an_image_that_cannot_be_pulled_is_named(project: Callable[..., Project]) -> None:
    image = "registry.invalid/no/such:image"
    stack = project(compose=f"services: {{app: {{image: '{image}'}}}}\n")
    result = stack.inv("stack.up")
    assert result.code == 1
    assert result.error == "app: the image could not be pulled"
    assert "docker login" in result.hint
    assert stack.containers() == {}


def test_an_image_is_not_built_again_when_its_build_section_is_the_same(
    project: Callable[..., Project],
) -> None:
    stack = project(
        compose=BUILT, Dockerfile='FROM redis:7-alpine\nCMD ["sleep", "600"]\nSTOPSIGNAL KILL\n'
    )
    assert "building app" in stack.up().stderr
    assert "building" not in stack.up().stderr
    assert "building app" in stack.up("--build").stderr

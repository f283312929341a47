"""`image.build` and `image.size`: what Compose would build, what it weighs, and why it fails."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import shops
from stacks import canary, run_docker

if TYPE_CHECKING:
    from stacks import Begun, Project

DOCKERFILE = """\
# syntax is the engine's own
FROM redis:7-alpine AS builder
WORKDIR /src
COPY data ./data
RUN mkdir out && cat data data > out/all

FROM redis:7-alpine
ARG NEXT_PUBLIC_SITE
COPY --from=builder /src/out /app
RUN echo "site=$NEXT_PUBLIC_SITE" > /site \\
 && head -c 2000000 /dev/zero > /app/big
"""
COMPOSE = "services: {app: {build: .}}\n"


@pytest.fixture(scope="module")
def built(shared_project: Callable[..., Project]) -> Project:
    stack = shared_project(
        compose=COMPOSE,
        Dockerfile=DOCKERFILE,
        data=canary(),
        **{".env": "NEXT_PUBLIC_SITE=https://shop.example\n"},
    )
    stack.inv("image.build").ok()
    return stack


def test_it_builds_what_compose_would_build(built: Project) -> None:
    """The layers of both are the same, so one comes from the other's cache."""

    def layers() -> list[str]:
        return json.loads(
            run_docker(
                "image", "inspect", "--format", "{{json .RootFS.Layers}}", f"{built.name}-app"
            )
        )

    ours = layers()
    words = ["docker", "compose", "build", "--build-arg", "NEXT_PUBLIC_SITE=https://shop.example"]
    subprocess.run(
        words, cwd=built.folder, env=built.environment(), check=True, capture_output=True
    )
    assert layers() == ours


def test_public_variables_of_the_env_reach_the_arguments_that_the_dockerfile_declares(
    built: Project,
) -> None:
    said = run_docker("run", "--rm", "--network", "none", f"{built.name}-app", "cat", "/site")
    assert said == "site=https://shop.example"


def test_a_second_build_is_all_cache_and_the_same_size(built: Project) -> None:
    image = built.inv("image.build", "--json").ok().document["images"][0]
    assert image["delta"] == 0
    assert image["changes"] == []
    assert {(each["cached"], each["steps"]) for each in image["cache"]} == {(3, 3), (2, 2)}


def test_the_layers_that_make_the_difference_are_named_with_their_line(built: Project) -> None:
    text = (built.folder / "Dockerfile").read_text()
    built.write("Dockerfile", text.replace("2000000", "3500000"))
    result = built.inv("image.build").ok()
    assert re.search(r"app +\S+ +\d+ MB +\+1.5 MB", result.stdout)
    image = built.inv("image.size", "--json").ok().document["images"][0]
    line = next(each for each in image["layers"] if each["bytes"] > 3_400_000 and each["file"])
    assert (line["file"], line["line"]) == ("Dockerfile", 10)
    assert line["created_by"].startswith("RUN echo")


def test_sizes_are_the_engines_own(built: Project) -> None:
    image = built.inv("image.size", "--json").ok().document["images"][0]
    size = int(run_docker("image", "inspect", "--format", "{{.Size}}", f"{built.name}-app"))
    assert image["bytes"] == size
    assert abs(sum(each["bytes"] for each in image["layers"]) - size) < 20


def test_two_tags_of_an_image_are_compared(built: Project) -> None:
    run_docker("tag", "redis:7-alpine", f"{built.name}-app:old")
    try:
        image = built.inv("image.size", "--compare", "old", "--json").ok().document["images"][0]
        assert image["delta"] > 2_000_000
        assert {each["file"] for each in image["changes"] if each["bytes"] > 100} == {"Dockerfile"}
    finally:
        run_docker("image", "rm", f"{built.name}-app:old")


def test_an_image_over_its_budget_ends_with_3_and_says_what_is_big(built: Project) -> None:
    budget = {"INVSTACK_IMAGE_BUDGET": "1MB"}
    for task in ("image.build", "image.size"):
        result = built.inv(task, environ=budget)
        assert result.code == 3
        assert "over its budget of 1 MB" in result.stdout
        assert "(base image)" in result.stdout
        assert "Dockerfile:10" in result.stdout
    assert built.inv("image.size", environ={"INVSTACK_IMAGE_BUDGET": "5GB"}).code == 0


def test_a_failed_step_is_named_with_its_line_and_its_last_output(
    project: Callable[..., Project],
) -> None:
    stack = project(
        compose=COMPOSE,
        Dockerfile="FROM redis:7-alpine\n\nRUN echo fine\n"
        "RUN echo first && \\\n    echo no lockfile here; exit 9\n",
    )
    result = stack.inv("image.build")
    assert result.code == 1
    assert result.error.startswith("Dockerfile:4: app: [3/3] RUN echo first")
    assert result.error.endswith("failed: exit code: 9")
    assert "  no lockfile here" in result.stderr
    log = (stack.folder / ".invoke-stack" / "build.log").read_text()
    assert "no lockfile here" in log


def test_an_interrupted_build_leaves_no_process_and_no_image(
    project: Callable[..., Project],
    begin: Callable[..., Begun],
    processes: Callable[[str], list[str]],
    until: Callable[..., None],
) -> None:
    step = f"RUN echo {canary()} && sleep 60"
    stack = project(compose=COMPOSE, Dockerfile=f"FROM redis:7-alpine\n{step}\n")
    run = begin(stack, "image.build")
    run.said("building app")
    log = stack.folder / ".invoke-stack" / "build.log"
    until(lambda: log.exists() and "&& sleep" in log.read_text(), 20, "the build never begins")
    run.signal(signal.SIGINT, group=True)
    assert run.end().code == 130
    until(lambda: not processes(stack.name), 10, "something goes on")
    assert stack.listed("image", "ls", "--all") == []
    assert not list((stack.folder / ".invoke-stack").glob("*.env"))


def test_a_secret_argument_builds_and_the_lines_that_replace_it_build_too(
    project: Callable[..., Project],
) -> None:
    secret = f"postgresql://shop:{canary()}@db/shop"
    stack = project(
        compose='services: {app: {build: {context: ., args: {DATABASE_URL: "${DATABASE_URL}"}}}}\n',
        Dockerfile="FROM redis:7-alpine\nARG DATABASE_URL\n"
        'RUN test -n "$DATABASE_URL" && echo built > /app\n',
        **{".env": f"DATABASE_URL={secret}\n"},
    )
    stack.secrets["database"] = secret
    finding = stack.inv("image.build", "--json").ok().document["findings"][0]
    assert (finding["rule"], finding["severity"]) == ("IMG114", "error")
    history = run_docker("history", "--no-trunc", f"{stack.name}-app")
    assert secret in history

    lines = finding["fix"].splitlines()
    run = next(line.partition(": ")[2] for line in lines if "--mount=type=secret" in line)
    service, secrets = (
        line.partition(": ")[2] for line in lines if line.startswith("compose.yaml: s")
    )
    stack.write("Dockerfile", f"FROM redis:7-alpine\n{run}\n")
    stack.write(
        "compose.yaml", f"{service.replace('build: {', 'build: {context: ., ')}\n{secrets}\n"
    )
    again = stack.inv("image.build", "--json").ok().document
    assert again["findings"] == []
    assert secret not in run_docker("history", "--no-trunc", f"{stack.name}-app")


def test_flags_reach_the_builder(project: Callable[..., Project]) -> None:
    stack = project(compose=COMPOSE, Dockerfile="FROM redis:7-alpine\nRUN echo a > /a\n")
    stack.inv("image.build").ok()
    again = stack.inv("image.build", "--no-cache", "--platform", "linux/amd64", "--json").ok()
    assert again.document["images"][0]["cache"] == [{"stage": "", "cached": 0, "steps": 1}]
    plan = stack.inv("--dry", "image.build", "--push").ok()
    assert "build --push app" in plan.text
    wrong = stack.inv("image.build", "--platform", "plan9/mips")
    assert wrong.code == 1
    assert "redis:7-alpine failed: " in wrong.error
    assert "platform" in wrong.hint


def test_pruning_takes_this_projects_leftovers_alone(project: Callable[..., Project]) -> None:
    stack, other = (
        project(compose=COMPOSE, Dockerfile=f"FROM redis:7-alpine\nRUN echo {canary()} > /a\n")
        for _ in range(2)
    )
    for each in (stack, other):
        each.inv("image.build").ok()
        each.write("Dockerfile", f"FROM redis:7-alpine\nRUN echo {canary()} > /b\n")
        each.inv("image.build").ok()
    assert len(stack.listed("image", "ls", "--filter", "dangling=true")) == 1
    refused = stack.inv("image.prune")
    assert refused.code == 4
    assert "image" in refused.stdout
    done = stack.inv("image.prune", "--yes", "--json").ok().document
    assert len(done["images"]) == 1
    assert stack.listed("image", "ls", "--filter", "dangling=true") == []
    assert len(other.listed("image", "ls", "--filter", "dangling=true")) == 1
    # The record of the first build's step lost its image just now.
    cache = stack.inv("image.prune", "--yes", "--json").ok().document["cache"]
    assert len(cache) == 1
    assert "nothing to remove" in stack.inv("image.prune", "--yes").ok().stderr
    hits = stack.inv("image.build", "--json").ok().document["images"][0]["cache"]
    assert hits == [{"stage": "", "cached": 1, "steps": 1}]


def test_pruning_leaves_an_image_that_a_container_uses(project: Callable[..., Project]) -> None:
    stack = project(compose=COMPOSE, Dockerfile="FROM redis:7-alpine\nRUN echo 1 > /a\n")
    stack.inv("image.build").ok()
    # Not of the stack, so that nothing of ours makes it anew.
    user = f"{stack.name}-user"
    run_docker("create", "--name", user, f"{stack.name}-app")
    try:
        stack.write("Dockerfile", f"FROM redis:7-alpine\nRUN echo {canary()} > /b\n")
        stack.inv("image.build").ok()
        (kept,) = stack.listed("image", "ls", "--filter", "dangling=true")
        said = stack.inv("image.prune", "--yes").ok()
        assert said.stderr.count(f": container {user} uses it") == 1
        assert "Error response" not in said.text
        document = stack.inv("image.prune", "--yes", "--json").ok().document
        assert document["images"] == []
        assert [each["containers"] for each in document["used"]] == [[user]]
        assert stack.listed("image", "ls", "--filter", "dangling=true") == [kept]
    finally:
        run_docker("rm", "--force", user)
    assert len(stack.inv("image.prune", "--yes", "--json").ok().document["images"]) == 1


def test_services_are_built_in_one_run(project: Callable[..., Project]) -> None:
    services = {name: {"dockerfile": f"Dockerfile.{name}"} for name in ("one", "two")}
    files = {f"Dockerfile.{name}": f"FROM redis:7-alpine\nRUN echo {name}\n" for name in services}
    stack = project(compose=shops.compose(services), **files)
    found = stack.inv("image.build", "--json").ok().document["images"]
    assert [each["service"] for each in found] == ["one", "two"]
    assert all(each["seconds"] >= 0 for each in found)

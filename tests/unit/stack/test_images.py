from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack import events
from invoke_stack.compose.model import HealthCheck
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.project import Project
from invoke_stack.stack import images

Declare = Callable[..., Declared]
MakeProject = Callable[..., Project]

SERVICES: dict[str, Any] = {
    "web": {"build": {"context": ".", "target": "dev"}, "healthcheck": {"test": "x"}},
    "tagged": {"build": ".", "image": "me/tagged:1"},
    "db": {"image": "postgres:16"},
    "off": {"image": "off:1", "healthcheck": {"disable": True}},
}


class FakeEngine:
    """An engine that has some images."""

    def __init__(self, *stored: str) -> None:
        self.stored = stored

    def image_id(self, image: str) -> str:
        return f"sha256:{image}" if image in self.stored else ""

    def image_check(self, image: str) -> HealthCheck | None:
        return HealthCheck(interval_s=7) if image in self.stored else None


ALL = ("shop-web", "me/tagged:1", "postgres:16", "off:1")


def test_compose_names_a_built_image_after_project_and_service(declare: Declare) -> None:
    declared = declare(SERVICES)

    names = [images.reference(declared, each) for each in declared.model.services.values()]

    assert names == ["shop-web", "me/tagged:1", "postgres:16", "off:1"]


def test_an_image_of_another_build_section_is_known(
    declare: Declare, make_project: MakeProject
) -> None:
    project, engine = make_project(), FakeEngine(*ALL)
    dev = declare(SERVICES)
    prod = declare({"web": {"build": {"context": ".", "target": "runner"}}})
    images.remember(project, dev, engine, ("web",))  # type: ignore[arg-type]

    stored = engine.image_id("shop-web")
    assert not images.elsewhere(project, dev.model.services["web"], stored)
    assert images.elsewhere(project, prod.model.services["web"], stored)
    assert not images.elsewhere(project, prod.model.services["web"], "sha256:made-by-hand")


@pytest.fixture
def needed(declare: Declare, make_project: MakeProject) -> Callable[..., images.Needed]:
    def needed(
        engine: FakeEngine, services: Any = None, *, build: bool = False, pull: bool = False
    ) -> images.Needed:
        declared = declare(services or SERVICES)
        return images.needed(
            make_project(),
            declared,
            engine,  # type: ignore[arg-type]
            tuple(declared.model.services),
            build=build,
            pull=pull,
        )

    return needed


def test_what_the_engine_does_not_have_is_built_or_pulled(
    needed: Callable[..., images.Needed],
) -> None:
    assert needed(FakeEngine()) == images.Needed(("web", "tagged"), ("db", "off"))


def test_an_image_that_nobody_remembers_building_is_built_again(
    needed: Callable[..., images.Needed],
) -> None:
    assert needed(FakeEngine(*ALL)) == images.Needed(("web", "tagged"), ())


def test_a_remembered_build_is_good_until_its_section_or_image_changes(
    needed: Callable[..., images.Needed], declare: Declare, make_project: MakeProject
) -> None:
    engine = FakeEngine(*ALL)
    images.remember(make_project(), declare(SERVICES), engine, ("web", "tagged"))  # type: ignore[arg-type]

    assert needed(engine) == images.Needed((), ())
    assert needed(engine, build=True).build == ("web", "tagged")
    assert needed(engine, pull=True).pull == ("db", "off")
    assert needed(FakeEngine("shop-web", "me/tagged:1")).pull == ("db", "off")
    other = {**SERVICES, "web": {"build": {"context": ".", "target": "prod"}}}
    assert needed(engine, other).build == ("web",)


def test_what_is_remembered_holds_no_build_argument(
    declare: Declare, make_project: MakeProject
) -> None:
    project = make_project()
    declared = declare({"web": {"build": {"args": {"TOKEN": "canary"}}}})

    images.remember(project, declared, FakeEngine("shop-web"), ("web",))  # type: ignore[arg-type]

    assert "canary" not in (project.state / "builds.json").read_text()


def test_the_declared_check_wins_over_the_images_own(declare: Declare) -> None:
    found = images.checks(declare(SERVICES), FakeEngine(*ALL), tuple(SERVICES))  # type: ignore[arg-type]

    assert found == {
        "web": HealthCheck(),
        "tagged": HealthCheck(interval_s=7),
        "db": HealthCheck(interval_s=7),
    }


FAILED_STEP = """\
#4 [web 1/3] FROM docker.io/library/redis:7-alpine
#4 DONE 0.0s

#5 [web 2/3] RUN echo "installing "things"" && sleep 0.1
#5 0.113 installing "things"
#5 DONE 0.2s

#6 [web 3/3] RUN echo compiling && echo "src/a.ts(3,1): error TS2304" >&2 && exit 2
#6 0.118 compiling
#6 0.118 src/a.ts(3,1): error TS2304
#6 ERROR: process "/bin/sh -c echo compiling && exit 2" did not complete: exit code: 2
------
 > [web 3/3] RUN echo compiling && exit 2:
0.118 compiling
0.118 src/a.ts(3,1): error TS2304
------
failed to solve: process "/bin/sh -c echo compiling && exit 2" did not complete: exit code: 2
"""

MISSING_FILE = """\
#6 [web 3/3] COPY gone.txt /x
#6 ERROR: failed to calculate checksum of ref c71f5462::t2upowf0: "/gone.txt": not found

#7 [web 2/3] RUN echo fine one
#7 0.113 fine one
#7 DONE 0.1s
------
 > [web 3/3] COPY gone.txt /x:
------
failed to solve: failed to compute cache key: failed to calculate checksum: "/gone.txt": not found
"""

PARSE_ERROR = """\
#1 [web internal] load build definition from Dockerfile
#1 transferring dockerfile: 75B done
#1 DONE 0.0s
failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)
"""


def test_a_step_that_fails_is_named_with_what_was_printed_last() -> None:
    problem = images.build_error(["web"], FAILED_STEP.splitlines())

    assert str(problem) == "web: the build failed at: echo compiling && exit 2"
    assert problem.detail == (
        '#5 0.113 installing "things"',
        "#6 0.118 compiling",
        "#6 0.118 src/a.ts(3,1): error TS2304",
    )
    assert problem.hint == "correct the Dockerfile step, then run the task again"


def test_a_file_that_is_missing_is_named() -> None:
    problem = images.build_error(["web"], MISSING_FILE.splitlines())

    assert str(problem) == (
        "web: the build failed: failed to compute cache key: failed to calculate checksum: "
        '"/gone.txt": not found'
    )
    assert " > [web 3/3] COPY gone.txt /x:" in problem.detail


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        (
            "failed to solve: failed to read dockerfile: open Dockerfile: no such file or dir.",
            "Dockerfile",
        ),
        ('unable to prepare context: path "/shop/my app" not found', "/shop/my app"),
        ("resolve : lstat /shop/docker: no such file or directory", "/shop/docker"),
    ],
)
def test_a_build_without_its_files_says_what_to_write(said: str, absent: str) -> None:
    problem = images.build_error(["web"], ["#1 [web internal] load build definition", said])

    assert (problem.code, str(problem)) == (2, f"web: nothing to build from: no {absent}")
    assert problem.hint == "write it, or correct `context:` and `dockerfile:` below `build:`"
    assert problem.detail == ()


def test_a_dockerfile_that_cannot_be_read_says_why() -> None:
    problem = images.build_error(["web"], PARSE_ERROR.splitlines())

    assert "dockerfile parse error on line 2: unknown instruction: RUNN" in problem.message


def test_a_build_without_a_word_is_still_an_error() -> None:
    assert str(images.build_error(["a", "b"], [])) == "a, b: the build failed"


def test_pulling_comes_before_building_and_both_are_reported(
    declare: Declare, make_project: MakeProject, runner: Any
) -> None:
    runner.answer(" pull ", "db Pulled")
    said: list[events.Event] = []

    images.provide(
        make_project(), declare(SERVICES).call(), images.Needed(("web",), ("db",)), said.append
    )

    assert [line.split()[-2:] for line in runner.written] == [["pull", "db"], ["build", "web"]]
    assert said == [
        events.Step("pulling db"),
        events.Line("pull", "db Pulled"),
        events.Step("building web"),
    ]


def test_nothing_to_provide_runs_nothing(
    declare: Declare, make_project: MakeProject, runner: Any
) -> None:
    images.provide(make_project(), declare(SERVICES).call(), images.Needed((), ()), events.silent)

    assert runner.ran == []


def test_a_pull_that_fails_ends_with_the_registrys_words(
    declare: Declare, make_project: MakeProject, runner: Any
) -> None:
    runner.answer(" pull ", "db Error\n\npull access denied for x", code=18)

    with pytest.raises(StackError) as caught:
        images.provide(
            make_project(),
            declare(SERVICES).call(),
            images.Needed(("web",), ("db",)),
            events.silent,
        )

    assert str(caught.value) == "db: the image could not be pulled"
    assert caught.value.detail == ("db Error", "pull access denied for x")
    assert len(runner.written) == 1


def test_a_build_that_fails_is_the_builds_error(
    declare: Declare, make_project: MakeProject, runner: Any
) -> None:
    runner.answer(" build ", FAILED_STEP, code=17)

    with pytest.raises(StackError, match="the build failed at: echo compiling && exit 2"):
        images.provide(
            make_project(), declare(SERVICES).call(), images.Needed(("web",), ()), events.silent
        )

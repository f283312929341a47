from __future__ import annotations

import pytest

from invoke_stack.images.buildlog import BuildLog

# What Compose 2.26 and BuildKit print for two services, one step shared, one failing.
TEXT = """\
#0 building with "default" instance using docker driver

#1 [web internal] load build definition from Dockerfile
#1 transferring dockerfile: 260B done
#1 DONE 0.0s

#4 [web deps 1/3] FROM docker.io/library/node:22-alpine
#4 CACHED

#5 [web deps 2/3] WORKDIR /app
#5 CACHED

#6 [web deps  3/13] RUN npm ci
#6 0.195 added 3 packages
#6 1.199 done
#6 DONE 1.2s

#5 [api deps 2/3] WORKDIR /app
#5 CACHED

#9 [web] exporting to image
#9 exporting layers 0.0s done
#9 DONE 0.1s

#15 [api linux/amd64 stage-1 4/4] RUN npm run build
#15 0.218 no such script
#15 ERROR: process "/bin/sh -c npm run build" did not complete successfully: exit code: 7
------
 > [api stage-1 4/4] RUN npm run build:
0.218 no such script
------
failed to solve: process "/bin/sh -c npm run build" did not complete successfully: exit code: 7
"""


def read(text: str, *services: str) -> BuildLog:
    log = BuildLog(services)
    for line in text.splitlines():
        log.feed(line)
    return log


@pytest.fixture
def log() -> BuildLog:
    return read(TEXT, "web", "api")


def test_steps_belong_to_their_service_and_stage(log: BuildLog) -> None:
    found = [(each.service, each.stage, each.index, each.of) for each in log.steps]

    assert ("web", "deps", 3, 13) in found
    assert ("api", "deps", 2, 3) in found
    assert ("api", "stage-1", 4, 4) in found
    assert ("web", "", 0, 0) in found


def test_cache_hits_are_counted_by_stage_and_a_from_is_none(log: BuildLog) -> None:
    assert log.hits("web") == (("deps", 1, 2),)
    assert log.hits("api") == (("deps", 1, 1), ("stage-1", 0, 1))


def test_a_failed_step_keeps_its_output_and_its_reason(log: BuildLog) -> None:
    step = log.failed

    assert step is not None
    assert step.title == "[stage-1 4/4] RUN npm run build"
    assert list(step.output) == ["no such script"]
    assert step.error.endswith("exit code: 7")
    assert log.reason.endswith("exit code: 7")


def test_what_goes_on_is_the_step_of_the_dockerfile(log: BuildLog) -> None:
    begun = read("#1 [web internal] load .dockerignore\n#2 [web 1/2] RUN make\n", "web", "api")
    step = begun.running("web")

    assert step is not None
    assert step.text == "RUN make"
    assert log.running("web") is None


def test_a_step_that_ends_is_handed_back_once() -> None:
    log = read("#2 [web 1/2] RUN make\n", "web", "api")

    ended = log.feed("#2 DONE 3.4s")

    assert ended is not None
    assert ended.seconds == 3.4
    assert log.feed("#2 DONE 3.4s") is None


def test_with_one_service_its_name_may_be_left_out() -> None:
    log = read("#2 [deps 1/2] RUN make\n#3 [web stage-1 2/2] RUN x\n#4 [2/3] RUN y\n", "web")

    assert {each.service for each in log.steps} == {"web"}
    assert [each.stage for each in log.steps] == ["deps", "stage-1", ""]


def test_a_service_is_finished_when_its_image_is_stored(log: BuildLog) -> None:
    assert log.finished("web")
    assert not log.finished("api")


def test_a_cancelled_step_is_no_failure() -> None:
    log = read("#2 [web 1/2] RUN make\n#2 CANCELED\n", "web")

    assert log.failed is None
    assert log.steps[0].state == "cancelled"


@pytest.mark.parametrize("line", ["", "#", "#x DONE", "#99 DONE 1s", "#1 [", "[web] x", "#7 0.1 a"])
def test_other_lines_mean_nothing(line: str) -> None:
    log = BuildLog(("web",))

    assert log.feed(line) is None
    assert log.steps == ()

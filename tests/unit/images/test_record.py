from __future__ import annotations

from collections.abc import Callable

from invoke_stack.images import record
from invoke_stack.images.layers import Image, Layer
from invoke_stack.images.record import Change
from invoke_stack.project import Project

MakeProject = Callable[..., Project]

BEFORE = Image(
    "web",
    "shop-web",
    "sha256:1",
    1600,
    (
        Layer(1000, "base"),
        Layer(500, "RUN npm ci", "Dockerfile", 3),
        Layer(100, "COPY a b", "Dockerfile", 4),
    ),
)
AFTER = Image(
    "web",
    "shop-web",
    "sha256:2",
    1950,
    (
        Layer(1000, "base"),
        Layer(900, "RUN npm ci", "Dockerfile", 3),
        Layer(50, "COPY c d", "Dockerfile", 5),
    ),
)


def test_the_layers_that_make_the_difference_biggest_first() -> None:
    assert record.changes(BEFORE, AFTER) == (
        Change(400, "RUN npm ci", "Dockerfile", 3),
        Change(-100, "COPY a b", "Dockerfile", 4),
        Change(50, "COPY c d", "Dockerfile", 5),
    )
    assert record.changes(AFTER, AFTER) == ()


def test_a_build_is_remembered_by_service_and_mode(make_project: MakeProject) -> None:
    project = make_project()
    record.remember(project, "prod", [AFTER], [], (1.0, 2.0))

    found = record.previous(project, "web", "prod")

    assert found is not None
    assert (found.bytes, found.layers) == (AFTER.bytes, AFTER.layers)
    assert record.previous(project, "web", "dev") is None
    assert record.previous(make_project(), "api", "prod") is None


def test_steps_are_remembered_as_fingerprints_and_secrets_not_at_all(
    make_project: MakeProject,
) -> None:
    project = make_project()
    project.secrets.learn(["hunter2hunter2"])
    image = Image("web", "t", "i", 1, (Layer(1, "RUN echo hunter2hunter2"),))

    record.remember(project, "dev", [image], ["RUN  make", "RUN login hunter2hunter2"], (1.0, 2.0))

    text = (project.root / ".invoke-stack" / record.NAME).read_text()
    assert "hunter2" not in text
    ((began, ended, steps),) = record.builds(project)
    assert (began, ended) == (1.0, 2.0)
    assert record.fingerprint("RUN make") in steps


def test_only_the_last_builds_are_remembered(make_project: MakeProject) -> None:
    project = make_project()
    for number in range(record.WINDOWS + 3):
        record.remember(project, "dev", [], [f"RUN {number}"], (number, number))

    assert len(record.builds(project)) == record.WINDOWS

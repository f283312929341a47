from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from invoke_stack import events
from invoke_stack.errors import StackError
from invoke_stack.images import prune, record
from invoke_stack.project import Project

if TYPE_CHECKING:
    from tests.conftest import FakeRunner

MakeProject = Callable[..., Project]

MADE = "2026-01-01T00:00:05.123456789Z"
BEGAN = 1767225600.0  # 2026-01-01T00:00:00Z


class Engine:
    """An engine with some records of a build cache, unnamed images, and containers of images."""

    def __init__(
        self,
        *records: dict[str, Any],
        images: Sequence[dict[str, Any]] = (),
        users: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.records = records
        self.images = images
        self.made = users or {}

    def dangling(self, project: str) -> tuple[dict[str, Any], ...]:
        return tuple(self.images)

    def users(self) -> Mapping[str, tuple[str, ...]]:
        return self.made

    def build_cache(self) -> tuple[dict[str, Any], ...]:
        return self.records


def entry(**changed: Any) -> dict[str, Any]:
    plain = {
        "ID": "a",
        "Description": "mount / from exec /bin/sh -c npm ci",
        "InUse": False,
        "Shared": False,
        "Size": 7,
        "CreatedAt": MADE,
    }
    return plain | changed


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"Description": "[web deps 2/3] COPY a b"}, True),
        ({"InUse": True}, False),
        ({"Shared": True}, False),  # an image uses it
        ({"Description": "mount / from exec /bin/sh -c yarn"}, False),
        ({"Description": "local source for context"}, False),
        ({"CreatedAt": "2026-01-01T01:00:00Z"}, False),  # made by somebody else's build
        ({"CreatedAt": "soon"}, False),
    ],
)
def test_a_record_is_ours_when_one_of_our_builds_made_it(
    make_project: MakeProject,
    changed: dict[str, Any],
    ours: bool,  # noqa: FBT001 - a table
) -> None:
    project = make_project()
    record.remember(project, "dev", [], ["RUN npm ci", "COPY a b"], (BEGAN, BEGAN + 10))

    found = list(prune.cached(project, Engine(entry(**changed))))  # type: ignore[arg-type]

    assert [each.id for each in found] == (["a"] if ours else [])


def test_children_go_before_what_they_are_made_from(make_project: MakeProject) -> None:
    project = make_project()
    record.remember(project, "dev", [], ["RUN npm ci"], (BEGAN, BEGAN + 10))
    later = entry(ID="b", CreatedAt="2026-01-01T00:00:06Z")

    found = list(prune.cached(project, Engine(entry(), later)))  # type: ignore[arg-type]

    assert [each.id for each in found] == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("mount / from exec /bin/sh -c npm  ci", "RUN npm  ci"),
        ("mount / from exec node a.js", "RUN node a.js"),
        ("[deps 2/3] WORKDIR /app", "WORKDIR /app"),
        ("pulled from docker.io", "pulled from docker.io"),
    ],
)
def test_descriptions_of_records(text: str, instruction: str) -> None:
    assert prune.described(text) == instruction


def test_nothing_else_is_ever_removed() -> None:
    assert prune.remove_image("sha256:1").argv == ("docker", "image", "rm", "sha256:1")
    assert prune.remove_record("a").argv == (
        *("docker", "buildx", "prune", "--force", "--filter", "id=a"),
    )


def test_an_image_that_a_container_uses_is_told_and_left_out(make_project: MakeProject) -> None:
    engine = Engine(
        images=[{"Id": "sha256:1", "Size": 3}, {"Id": "sha256:2", "Size": 5}],
        users={"sha256:2": ("shop-web-1", "old"), "sha256:3": ("other",)},
    )

    found = prune.leftovers(make_project(), "shop", engine)  # type: ignore[arg-type]

    assert found.images == (prune.Leftover("sha256:1", 3),)
    assert found.used == (prune.Used("sha256:2", ("shop-web-1", "old")),)
    assert found.bytes == 3


ID = f"sha256:{'0123456789ab' * 5}0123"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "conflict: unable to delete 0123 (must be forced) - image is being used by 3c1f",
            "a container uses it by now",
        ),
        (
            "conflict: unable to delete 0123 (cannot be forced) - image has dependent child images",
            "another image is made from it",
        ),
        ("something new", "the engine does not remove it; why: docker image rm 0123456789ab"),
        ("", "the engine does not remove it; why: docker image rm 0123456789ab"),
    ],
)
def test_what_the_engine_does_not_remove_is_told_in_our_words(
    make_project: MakeProject, runner: FakeRunner, said: str, told: str
) -> None:
    runner.answer("image rm", stderr=f"Error response from daemon: {said}\n", code=1)
    notes: list[events.Event] = []
    found = prune.Leftovers("shop", (prune.Leftover(ID, 3),), ())

    assert prune.remove(make_project(), found, notes.append) == 0

    assert notes == [events.Note(f"kept 0123456789ab: {told}")]


def test_an_image_that_is_gone_already_is_nothing_to_tell(
    make_project: MakeProject, runner: FakeRunner
) -> None:
    runner.answer("image rm", stderr=f"Error response from daemon: No such image: {ID}", code=1)
    notes: list[events.Event] = []
    found = prune.Leftovers("shop", (prune.Leftover(ID, 3),), ())

    assert (prune.remove(make_project(), found, notes.append), notes) == (0, [])


def test_cache_that_cannot_be_removed_is_an_error_without_the_engines_words(
    make_project: MakeProject, runner: FakeRunner
) -> None:
    runner.answer("buildx prune", stderr="ERROR: rpc error: code = Unknown", code=1)
    found = prune.Leftovers("shop", (), (prune.Leftover("a", 3),))

    with pytest.raises(StackError) as caught:
        prune.remove(make_project(), found)

    assert str(caught.value) == "docker buildx prune: could not remove the build cache"
    assert (caught.value.detail, bool(caught.value.hint)) == ((), True)

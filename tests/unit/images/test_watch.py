from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from invoke_stack import events
from invoke_stack.images.watch import Watch
from invoke_stack.project import Project

MakeProject = Callable[..., Project]

LINES = [
    ["#1 [web internal] load .dockerignore", "#1 DONE 0.0s"],
    ["#4 [web 2/3] RUN login s3cr3t-value", "#4 0.1 hello s3cr3t-value"],
    ["#4 DONE 1.5s", "#5 [web 3/3] COPY a b", "#5 CACHED"],
    ["#6 [web] exporting to image", "#6 DONE 0.1s"],
]


class Running:
    """A build that prints some lines at each look."""

    def __init__(self, code: int) -> None:
        self._left = list(LINES)
        self._code = code

    def wait(self, timeout_s: float | None = None) -> int:
        if self._left:
            raise TimeoutError(timeout_s)
        return self._code

    def fresh(self) -> Iterator[str]:
        yield from self._left.pop(0) if self._left else []


def followed(project: Project, code: int = 0) -> list[events.Event]:
    told: list[events.Event] = []
    watch = Watch(project, ["web"], told.append)
    assert watch.follow(Running(code)) == code  # type: ignore[arg-type]
    return told


def test_every_step_that_ends_is_told_once(make_project: MakeProject) -> None:
    told = followed(make_project())

    assert [each.text for each in told if isinstance(each, events.Line)] == [
        "[2/3] RUN login s3cr3t-value: 1.5 s",  # the console takes secrets out
        "[3/3] COPY a b: cached",
    ]


def test_the_table_shows_what_goes_on_and_how_it_ended(make_project: MakeProject) -> None:
    def states(code: int) -> list[tuple[str, str]]:
        rows = [
            e.services[0] for e in followed(make_project(), code) if isinstance(e, events.Progress)
        ]
        return [(row.state, row.detail) for row in rows]

    assert states(0) == [
        ("building", ""),
        ("building", "[2/3] RUN login s3cr3t-value"),
        ("building", ""),
        ("done", ""),
        ("done", ""),
    ]
    assert states(1)[-1] == ("failed", "")


def test_all_output_is_kept_without_secrets(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project()
    project.secrets.learn(["s3cr3t-value"])
    followed(project)

    path = tmp_path / ".invoke-stack" / "build.log"
    assert "#4 0.1 hello ***" in path.read_text()
    assert "s3cr3t" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0

"""Running Prisma: its output becomes lines for the report, or the error that it means."""

from __future__ import annotations

from contextlib import suppress

from invoke_stack.errors import StackError
from invoke_stack.events import Line, Report
from invoke_stack.prisma import complaints
from invoke_stack.prisma.spots import Spot
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

DIFFERENT = 2
"""How `migrate diff --exit-code` ends when the two sides differ."""

SOURCE = "prisma"


def where(project: Project, spot: Spot) -> str:
    """Return what messages are about: Prisma, its folder below the root, a container."""
    folder = project.shown(spot.package.folder)
    parts = ["prisma", *([] if folder == "." else [f"in {folder}"])]
    return " ".join(parts if spot.kind == "host" else [*parts, f"({spot.label})"])


def run(
    project: Project, spot: Spot, command: Command, report: Report, *, live: bool = False
) -> None:
    """Run a call to its end; report its own text.

    Args:
        project: the project.
        spot: where it runs.
        command: the call.
        report: given the text, ``live`` line by line, else once it has succeeded: a failure
            carries it in the error.
        live: the program is the project's own and may take long.

    Raises:
        StackError: it failed, and what that means.
    """
    lines: list[str] = []
    with project.runner.start(command) as running:
        code: int | None = None
        while code is None:
            with suppress(TimeoutError):
                code = running.wait(0.05)
            fresh = list(running.fresh())
            lines += fresh
            for line in filter(None, complaints.own_text(fresh) if live else ()):
                report(Line(SOURCE, line))
    if code:
        raise failed(project, spot, "\n".join(lines), code)
    for line in filter(None, () if live else complaints.own_text(lines)):
        report(Line(SOURCE, line))


def difference(project: Project, spot: Spot, command: Command) -> tuple[str, ...]:
    """Run a comparison and return how the sides differ, line by line; nothing when they do not.

    Raises:
        StackError: they could not be compared.
    """
    done = project.runner.capture(command)
    if done.code == 0:
        return ()
    if done.code != DIFFERENT:
        raise failed(project, spot, said(done), done.code)
    return tuple(line for line in complaints.own_text(done.stdout.splitlines()) if line)


def said(done: Completed) -> str:
    """Return both streams as one text."""
    return f"{done.stdout}\n{done.stderr}"


def failed(project: Project, spot: Spot, text: str, code: int) -> StackError:
    """Return the error for a call that did not succeed."""
    return complaints.explain(where(project, spot), text, code, project.secrets.hide)

"""A short run of an image with a read-only root file system and no capabilities."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from invoke_stack import events, files
from invoke_stack.findings.model import Remark, Report
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.rules import finding
from invoke_stack.process import Command
from invoke_stack.project import Project

SECONDS = 5.0
"""How long an image has to stay up."""

HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108 - the container's
    *("--security-opt", "no-new-privileges"),
)
_READ_ONLY = re.compile(
    r"(?P<before>/[^'\s:]+)'?: read-only file system"  # as shells say it
    r"|read-only file system, \w+ '(?P<after>/[^']+)'",  # as Node.js does
    re.IGNORECASE,
)
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; ``code`` is None where it was still up when its time was over."""

    code: int | None
    tail: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing went wrong."""
        return not self.code


def check(project: Project, subject: Subject, report: events.Report = events.silent) -> Report:
    """Run an image hardened, and without that when it ends, to tell why.

    Neither run has a network, so neither can reach a database, and no migration runs.
    """
    if project.dry:
        report(events.Planned(f"run {subject.image.tag} for {SECONDS:g} s, hardened"))
        return Report()
    report(events.Step(f"running {subject.image.tag} hardened for {SECONDS:g} s"))
    hardened = _run(project, subject, HARDENED)
    if hardened.well:
        return Report()
    plain = _run(project, subject, ())
    if not plain.well:
        message = (
            f"it ends with code {plain.code} without hardening too: here it has neither network "
            "nor database"
        )
        fix = "let the app start without them, or try it in the stack with read_only: true"
        return Report(unknowns=(Remark("IMG118", subject.name, message, fix),))
    said = [line for line in hardened.tail if line.strip()][-_SHOWN:]
    return Report(
        (
            finding(
                "IMG118",
                subject.name,
                "\n".join([f"hardened, it ends with code {hardened.code}:", *said]),
                remedy(hardened.tail),
                subject.dockerfile("CMD"),
            ),
        )
    )


def remedy(tail: Sequence[str]) -> str:
    """Return what to do, by what the image printed last."""
    found = next((m for line in tail if (m := _READ_ONLY.search(line))), None)
    if found is None:
        return "see what it needs: a capability (cap_add), or a folder to write to (tmpfs)"
    folder = PurePosixPath(found["before"] or found["after"]).parent
    return f"write to /tmp, or give it the folder: tmpfs: [{folder}]"


def command(subject: Subject, name: str, env: Path, flags: Sequence[str]) -> Command:
    """Return the call that runs the image."""
    words = ["docker", "run", "--name", name, "--network", "none", "--pull", "never", *flags]
    words += ["--env-file", str(env)]
    words += ["--user", subject.service.user] if subject.service.user else []
    entrypoint, given = subject.service.entrypoint, subject.service.command or ()
    if entrypoint:
        words += ["--entrypoint", entrypoint[0]]
        given = (*entrypoint[1:], *given)
    return Command((*words, subject.image.id, *given))


def env_text(environment: Mapping[str, str], own: Mapping[str, str]) -> str:
    """Return the env file of a run: what the image does not have itself, one line each."""
    lines = (
        f"{key}={value}\n"
        for key, value in sorted(environment.items())
        if own.get(key) != value and "\n" not in value
    )
    return "".join(lines)


def _run(project: Project, subject: Subject, flags: Sequence[str]) -> Ended:
    with _env_file(project, subject) as path:
        name = f"{subject.image.service}-image-check-{secrets.token_hex(4)}"
        remove = Command(("docker", "rm", "--force", "--volumes", name))
        with project.runner.start(command(subject, name, path, flags)) as running:
            try:
                return Ended(running.wait(SECONDS), running.tail)
            except TimeoutError:
                return Ended(None)
            finally:
                project.runner.capture(remove)


@contextmanager
def _env_file(project: Project, subject: Subject) -> Iterator[Path]:
    path = project.state / f"check-{secrets.token_hex(4)}.env"
    files.write(path, env_text(subject.environment, subject.own_environment))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)

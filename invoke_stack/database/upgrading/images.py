"""The images of an upgrade: which major version one has, and one that reads the old volume."""

from __future__ import annotations

import re

from invoke_stack.engines.docker import Docker
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Report, Step
from invoke_stack.process import Command
from invoke_stack.project import Project

_PROGRAM = re.compile(r"\(PostgreSQL\) (\d+)")


def version(project: Project, image: str) -> str:
    """Return the major version of an image's server; "" where it has none."""
    words = ("docker", "run", "--rm", "--pull", "never", "--network", "none")
    command = Command((*words, "--entrypoint", "postgres", image, "--version"), effect="read")
    found = _PROGRAM.search(project.runner.capture(command).stdout)
    return found[1] if found else ""


def provide(project: Project, docker: Docker, image: str, report: Report) -> bool:
    """Return whether an image is on this machine, pulled if it was not; a dry run pulls nothing."""
    if docker.image(image) is not None:
        return True
    if project.dry:
        return False
    report(Step(f"pulling {image}"))
    done = project.runner.capture(Command(("docker", "pull", "--quiet", image)))
    return done.code == 0 and docker.image(image) is not None


def likely(image: str, old: str, new: str) -> tuple[str, ...]:
    """Return what the image of the old version is called: as now, or as the official ones."""
    name, colon, tag = image.partition("@")[0].rpartition(":")
    if not colon or "/" in tag:  # no tag: what follows the colon is a port
        name, tag = image.partition("@")[0], ""
    own = re.sub(rf"(?<![\d.]){new}(?:\.\d+)*(?![\d.])", old, tag, count=1)
    names = [f"{name}:{own}"] if own and own != tag else []
    return tuple(dict.fromkeys([*names, f"{name}:{old}", f"{name}:{old}-alpine"]))


def old(  # noqa: PLR0913 - what is known of both versions
    project: Project,
    docker: Docker,
    report: Report,
    before: str,
    candidates: tuple[str, ...],
    named: str = "",
) -> str:
    """Return an image of the volume's own version, pulled if none is here.

    Args:
        project: the project.
        docker: the engine.
        report: hears what is pulled.
        before: the major version.
        candidates: images that may be of it, best first.
        named: the user's choice, "" for none.

    Raises:
        UsageError: the named one is not here, or of another version.
        StackError: there is none, and none can be pulled.
    """
    if named:
        if provide(project, docker, named, report) and version(project, named) == before:
            return named
        text = f"{named} is not here and cannot be pulled, or its server is not PostgreSQL {before}"
        raise UsageError("--from-image", text, hint=f"for example: --from-image postgres:{before}")
    for each in candidates:
        if docker.image(each) is not None and version(project, each) == before:
            return each
    tags = tuple(each for each in candidates if not each.startswith("sha256:"))
    if provide(project, docker, tags[0], report) and version(project, tags[0]) == before:
        return tags[0]
    text = "no image of it is here, and none could be pulled; no other version reads its data"
    hint = f"docker pull {tags[0]}, or name one: inv db.upgrade --from-image IMAGE"
    raise StackError(f"PostgreSQL {before}", text, hint=hint)

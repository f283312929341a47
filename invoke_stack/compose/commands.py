"""Argument lists for Docker Compose: built here, run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack.process import Command


@dataclass(frozen=True, slots=True)
class ComposeCall:
    """What every call on the same stack shares.

    Attributes:
        files: compose files in order, a generated override last.
        folder: Compose's project directory.
        name: the Compose project's name; "" leaves it to Compose.
        profiles: the active profiles.
        env: the resolved environment; Compose's own reading of `.env` is off.
    """

    files: tuple[Path, ...]
    folder: Path
    name: str = ""
    profiles: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def command(self, *words: str, read: bool = False) -> Command:
        """Return `docker compose … words`."""
        argv = ["docker", "compose"]
        if self.name:
            argv += ["--project-name", self.name]
        argv += ["--project-directory", str(self.folder)]
        for path in self.files:
            argv += ["--file", str(path)]
        for profile in self.profiles:
            argv += ["--profile", profile]
        effect = "read" if read else "write"
        return Command((*argv, *words), env=self.env, cwd=self.folder, effect=effect)  # type: ignore[arg-type]


def by_name(name: str, *words: str, read: bool = False) -> Command:
    """Return a Compose call that finds its containers by the project's name alone.

    It runs from the root of the file system, because Compose would otherwise load whatever
    compose file lies in the working directory or above it.
    """
    env = {"COMPOSE_DISABLE_ENV_FILE": "1", "COMPOSE_FILE": "", "COMPOSE_PROFILES": ""}
    return Command(
        ("docker", "compose", "--project-name", name, *words),
        env=env,
        cwd=Path(Path.cwd().anchor),
        effect="read" if read else "write",
    )


def config(call: ComposeCall, *, interpolate: bool) -> Command:
    """Return the call that prints the stack's model as JSON."""
    words = ("config", "--format", "json", *(() if interpolate else ("--no-interpolate",)))
    return call.command(*words, read=True)


def build(call: ComposeCall, services: Sequence[str], *flags: str) -> Command:
    """Return the call that builds images, with plain progress."""
    return call.command("--progress", "plain", "build", *flags, *services)


def pull(call: ComposeCall, services: Sequence[str]) -> Command:
    """Return the call that pulls images."""
    return call.command("pull", *services)


def up(
    call: ComposeCall, services: Sequence[str], *, recreate: bool, timeout_s: int = 0
) -> Command:
    """Return the call that creates and starts services without waiting for health.

    Images are there already: a build or pull at this point would be a surprise.
    """
    words = ["up", "--detach", "--no-build", "--quiet-pull"]
    words += ["--force-recreate"] if recreate else []
    words += ["--timeout", str(timeout_s)] if timeout_s else []
    return call.command(*words, *services)

"""What the stack, its databases and its cache ask of whatever runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from invoke_stack.engines.containers import Container, Volume
from invoke_stack.engines.endpoint import Endpoint

EngineName = Literal["docker", "embedded"]


class Engine(Protocol):
    """What runs the stack, read only.

    `engines.docker.Docker` is one; `engines.embedded.engine.Embedded`, where each service is a
    process of this machine, the other. A container's ``id`` is the engine's own word.
    """

    @property
    def name(self) -> EngineName:
        """Which of the two it is, as `stack.ps --json` says."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; tells whether its published ports are this machine's."""

    def containers(self, project: str, *, oneoff: bool = False) -> tuple[Container, ...]:
        """Return the containers of a stack, running or not, sorted by service."""

    def environment(self, container: str) -> dict[str, str]:
        """Return the environment that a container was made with; it may hold secrets."""

    def command(self, container: str) -> tuple[str, ...]:
        """Return the command line that a container was started with; it may hold secrets."""

    def addresses(self, container: str) -> tuple[str, ...]:
        """Return a container's own addresses in the networks of the engine."""

    def volumes(self, project: str) -> tuple[Volume, ...]:
        """Return a stack's named volumes with their sizes."""

    def logs(self, container: str, lines: int, *, since: float = 0.0) -> str:
        """Return the last lines that a container wrote, since an epoch time of the engine."""

    def programs(self, container: str) -> Path | None:
        """Return the folder of this machine with the service's own client programs.

        None where they are inside the container.
        """

    def address(self, container: str) -> Mapping[str, str]:
        """Return the variables with which a client of this machine reaches the service.

        For PostgreSQL PGHOST, the folder of a socket that only its owner can enter and that
        asks for no password, as the one inside the official image; and PGPORT, which the
        server also has on 127.0.0.1, where the password counts. For Redis REDIS_HOST and
        REDIS_PORT. Empty where clients run inside the container.
        """

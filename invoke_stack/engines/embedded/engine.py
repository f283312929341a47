"""The embedded engine, read only: each service's process looks like a container."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from invoke_stack.engines.containers import Binding, Container, Health, Volume
from invoke_stack.engines.embedded import postgres, record, serving
from invoke_stack.engines.embedded.record import PREFIX, Record
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.engines.engine import EngineName
from invoke_stack.errors import StackError
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive

UNKNOWN = 255
"""The exit code of a process that ended by itself; Docker says the same of one it lost."""

_HEALTH: Mapping[serving.State, Health] = {
    "ready": "healthy",
    "starting": "starting",
    "deaf": "unhealthy",
    "gone": "",
}


class Embedded:
    """The services that run as processes of this machine, by what is written down of them.

    The project's folder tells whose they are; the name of the stack does not matter.
    """

    name: EngineName = "embedded"
    endpoint = Endpoint("unix://")

    def __init__(self, project: Project) -> None:
        self._project = project

    def containers(self, project: str, *, oneoff: bool = False) -> tuple[Container, ...]:  # noqa: ARG002 - there are none
        """Return the services that were started and not taken down, running or not."""
        found = (record.read(self._project, name) for name in record.names(self._project))
        return tuple(self._container(project, each) for each in found if each is not None)

    def environment(self, container: str) -> dict[str, str]:
        """Return the environment that a service was started with; it may hold secrets."""
        return dict(self._record(container).environment)

    def command(self, container: str) -> tuple[str, ...]:
        """Return the declared command of a service; it may hold secrets."""
        return self._record(container).command

    def addresses(self, container: str) -> tuple[str, ...]:  # noqa: ARG002 - all have the same
        """Return where a service listens."""
        return (postgres.LOOPBACK,)

    def volumes(self, project: str) -> tuple[Volume, ...]:  # noqa: ARG002 - the folder tells
        """Return the data that is here, by the name of the volume that it stands for."""
        found = []
        for name in record.names(self._project):
            home = record.home(self._project, name)
            if home.data.exists():
                found.append(Volume(record.volume(self._project, name), _size(home.data)))
        return tuple(sorted(found, key=lambda each: each.name))

    def logs(self, container: str, lines: int, *, since: float = 0.0) -> str:  # noqa: ARG002 - no stamps of ours
        """Return the last lines that a service wrote."""
        service = container.removeprefix(PREFIX)
        return "\n".join(serving.last_lines(self._project, service, lines))

    def programs(self, container: str) -> Path | None:
        """Return the folder with the service's own client programs."""
        return Path(self._record(container).programs)

    def address(self, container: str) -> Mapping[str, str]:
        """Return the variables with which a client reaches the service; see `Engine.address`."""
        return address(self._record(container))

    def _record(self, container: str) -> Record:
        name = container.removeprefix(PREFIX)
        found = record.read(self._project, name)
        if found is None:
            raise StackError(f"service {name}", "is not up", hint="inv stack.up")
        return found

    def _container(self, project: str, found: Record) -> Container:
        now = serving.state(self._project, found)
        secrets = (v for k, v in found.environment.items() if v and is_sensitive(k, v))
        return Container(
            id=f"{PREFIX}{found.service}",
            name=f"{project}-{found.service}",
            project=project,
            service=found.service,
            folder="",  # whose it is, the state folder tells
            image=found.image,
            state="exited" if now == "gone" else "running",
            health=_HEALTH[now],
            exit_code=UNKNOWN if now == "gone" and found.pid else 0,
            error="",
            restarts=0,
            started_at=found.started,
            oneoff=False,
            mode="",
            bindings=(Binding(found.target, found.port, "tcp", postgres.LOOPBACK),),
            health_log=(),
            check=None,
            secrets=tuple(secrets),
        )


def address(found: Record) -> dict[str, str]:
    """Return the variables with which a client of this machine reaches a service."""
    if found.kind == "postgres":
        return {"PGHOST": found.sockets, "PGPORT": str(found.port)}
    return {"REDIS_HOST": postgres.LOOPBACK, "REDIS_PORT": str(found.port)}


def _size(folder: Path) -> int:
    """Return the bytes in a folder; what a server removes meanwhile counts for nothing."""
    total = 0
    for each in folder.rglob("*"):
        try:
            total += each.lstat().st_size
        except OSError:
            continue
    return total

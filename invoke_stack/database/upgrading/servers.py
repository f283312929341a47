"""The two servers of an upgrade: the old one on a copy of its data, the new one on nothing.

Neither has a network; they share a loopback, so the new server's programs read the old one
directly and nothing is written on this machine. Rules of our own let every local user in: those of
the volume, which may want a password that nobody knows, are left as they are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from invoke_stack.database.upgrading.scripts import CLUSTER
from invoke_stack.engines.docker import Docker
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

OLD_PORT = 5432
NEW_PORT = 5433
START_S = 300.0
"""How long a server may take to start, in seconds: one that was killed reads its journal first."""
STOP_S = 300

MOUNT = "/upgrade"
DATA = f"{MOUNT}/{CLUSTER}"
_LOOK_S = 0.2
_LINES = 8
_START = """printf 'local all all trust\\nhost all all 127.0.0.1/32 trust\\n' >/tmp/upgrade_hba.conf
chmod 644 /tmp/upgrade_hba.conf
exec "$@"
"""
# No network listens, nothing is archived, and the log goes where `docker logs` shows it.
_QUIET = {
    "listen_addresses": "127.0.0.1",
    "hba_file": "/tmp/upgrade_hba.conf",  # noqa: S108 - in a container of its own
    "ssl": "off",
    "archive_mode": "off",
    "logging_collector": "off",
    "autovacuum": "off",
    "lc_messages": "C",
}
# The volume is synced when it is whole; parallel work needs more shared memory than there is.
# Stronger than what a role or a database has as its own.
_CLIENTS = "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"
_LOADING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "max_parallel_maintenance_workers": "0",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server in a container of its own.

    Attributes:
        name: the container's name, the same in every run, so that a killed one's is found.
        user: who runs it; "" where the image decides.
        network: "none", or the container whose loopback it shares.
        plain: started as the service starts it, not for our work.
    """

    name: str
    image: str
    volume: str
    port: int = OLD_PORT
    user: str = ""
    network: str = "none"
    plain: bool = False

    def make(self, owner: str, args: Sequence[str], env: Mapping[str, str]) -> Command:
        """Return the call that makes its cluster, empty but for a superuser.

        Not by way of the image's own start: its scripts would fill it with what the old server
        has already, and while they run another server answers in its place.
        """
        head = ("docker", "run", "--rm", "--pull", "never", "--name", self.name)
        names = [word for name in env for word in ("--env", name)]
        where = ("--network", "none", "--volume", f"{self.volume}:{MOUNT}")
        words = (*head, *where, "--user", self.user or "postgres", *names)
        flags = ("--pgdata", DATA, "--username", owner, "--no-sync")
        return Command((*words, "--entrypoint", "initdb", self.image, *flags, *args), env=env)

    def start(self, entrypoint: Sequence[str]) -> Command:
        """Return the call that starts it; ``entrypoint`` is the image's own."""
        env = {"PGDATA": DATA}
        env |= {} if self.plain else {"PGOPTIONS": _CLIENTS}
        names = [word for name in env for word in ("--env", name)]
        user = ("--user", self.user) if self.user else ()
        head = ("docker", "run", "--detach", "--pull", "never", "--name", self.name)
        where = ("--network", self.network, "--volume", f"{self.volume}:{MOUNT}")
        words = (*head, *where, *user, *names)
        settings = {} if self.plain else {**_QUIET, "port": str(self.port)}
        settings |= _LOADING if self.port == NEW_PORT and not self.plain else {}
        flags = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        shell = ("--entrypoint", "sh", self.image, "-c", _START, "sh")
        return Command((*words, *shell, *entrypoint, "postgres", *flags), env=env)

    def inside(
        self, *argv: str, fed: bool = False, env: Mapping[str, str] | None = None
    ) -> Command:
        """Return the call of a program in its container."""
        feed = ("--interactive",) if fed else ()
        names = [word for name in env or {} for word in ("--env", name)]
        return Command(("docker", "exec", *feed, *names, self.name, *argv), env=env or {})


def made(
    project: Project, server: Server, owner: str, args: Sequence[str], env: Mapping[str, str]
) -> None:
    """Make a server's cluster in its volume, whose folder is there already.

    Raises:
        StackError: initdb failed.
    """
    try:
        done = project.runner.capture(server.make(owner, args, env))
    except BaseException:
        remove(project, server.name)  # it goes on when its client is gone
        raise
    if done.code != 0:
        raise failed(project, server.image, "a new cluster could not be made", done)


@contextlib.contextmanager
def running(project: Project, docker: Docker, server: Server) -> Iterator[Server]:
    """Have a server for a while; it is shut down in order, then its container is removed.

    Raises:
        StackError: it did not start, with its last words, or did not shut down in order.
    """
    remove(project, server.name)
    config = (docker.image(server.image) or {}).get("Config") or {}
    try:
        done = project.runner.capture(server.start(tuple(config.get("Entrypoint") or ())))
        done.require(server.name, f"{server.image} could not be started")
        _ready(project, server)
        yield server
        _stopped(project, server)
    finally:
        remove(project, server.name)


def remove(project: Project, *names: str) -> None:
    """Remove containers; those that are gone already are no error."""
    project.runner.capture(Command(("docker", "rm", "--force", "--volumes", *names)))


def _stopped(project: Project, server: Server) -> None:
    # Not by a signal to the container: in some images another program than the server gets it.
    owner = Command(("docker", "exec", server.name, "stat", "-c", "%u:%g", DATA), effect="read")
    user = project.runner.capture(owner).stdout.strip() or "postgres"
    words = ("pg_ctl", "stop", "--mode", "fast", "--no-wait", "--pgdata", DATA)
    project.runner.capture(Command(("docker", "exec", "--user", user, server.name, *words)))
    wait = Command(("docker", "wait", server.name), effect="read")
    code = project.runner.capture(wait, timeout_s=STOP_S).stdout.strip()
    if code != "0":
        text = f"ended with code {code} when it was shut down"
        raise StackError(server.name, text, detail=_log(project, server))


def _ready(project: Project, server: Server) -> None:
    port = str(OLD_PORT if server.plain else server.port)
    probe = server.inside("pg_isready", "-q", "-h", "127.0.0.1", "-p", port)
    lives = Command(("docker", "inspect", "--format", "{{.State.Running}}", server.name))
    deadline = time.monotonic() + START_S
    while project.runner.capture(probe).code != 0:
        if project.runner.capture(lives).stdout.strip() != "true":
            raise StackError(server.name, "ended at its start", detail=_log(project, server))
        if time.monotonic() > deadline:
            text = f"does not answer after {START_S:.0f} s"
            raise UnreachableError(server.name, text, detail=_log(project, server))
        time.sleep(_LOOK_S)


def _log(project: Project, server: Server) -> tuple[str, ...]:
    done = project.runner.capture(
        Command(("docker", "logs", "--tail", str(_LINES), server.name), effect="read")
    )
    return tuple(project.secrets.hide(done.stdout + done.stderr).splitlines()[-_LINES:])


@dataclass(frozen=True, slots=True)
class Client:
    """The programs of one server, connected to the same or another one.

    Attributes:
        by: the server in whose container they run.
        port: the server that they talk to.
        user: a superuser.
    """

    project: Project
    by: Server
    port: int
    user: str

    def ask(self, database: str, statements: str) -> str:
        """Run statements; the first error ends them.

        Raises:
            StackError: they failed.
        """
        words = ("psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", *self.place())
        command = self.by.inside(*words, fed=True, env={"PGDATABASE": database})
        done = self.project.runner.capture(command, stdin=statements.encode())
        if done.code != 0:
            raise failed(self.project, f"database {database}", "it refused a statement", done)
        return done.stdout

    def place(self) -> tuple[str, ...]:
        """Return the flags that lead to the server."""
        return ("-h", "127.0.0.1", "-p", str(self.port), "-U", self.user)


def failed(
    project: Project, where: str, text: str, done: Completed, lines: Sequence[str] = ()
) -> StackError:
    """Return the error for a program that did not succeed, with its last lines."""
    words = lines or project.secrets.hide(done.stderr.strip()).splitlines()
    return StackError(where, text, detail=tuple(words[-_LINES:]))

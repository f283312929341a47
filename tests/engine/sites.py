"""Servers to test on: PostgreSQL in a container of our own, or as the embedded engine runs it."""

import contextlib
import dataclasses
import functools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks import INV, ONE_LINE

from invoke_stack import settings
from invoke_stack.engines.embedded import record
from invoke_stack.engines.embedded.record import Record
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project

DRIVER = Path(__file__).with_name("database") / "driver.py"
DOCKER = shutil.which("docker") or "docker"
PASSWORD = "canary-s3cret-pw"

COMPOSE = f"""
name: NAME
services:
  pg:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: {PASSWORD}
      POSTGRES_DB: app
"""


@dataclass(frozen=True)
class Site:
    """A project folder with a database in a container."""

    root: Path
    name: str
    engine: str = "docker"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def container(self) -> str:
        return f"{self.name}-pg-1"

    def project(self) -> Project:
        own = settings.load([settings.Source("test", {"engine": self.engine})])
        return Project(self.root, own, SystemRunner(os.environ), os.environ)

    def beside(self, root: Path) -> "Site":
        """Return the same server from another folder, which is empty but for its compose file."""
        root.mkdir()
        shutil.copy(self.root / "compose.yaml", root)
        return dataclasses.replace(self, root=root)

    def up(self) -> None:
        self.compose("up", "--detach")

    def remove(self) -> None:
        self.compose("down", "--volumes", "--timeout", "1")

    def kill(self) -> None:
        self.docker("kill", "--signal", "KILL", self.container)

    def up_again(self) -> None:
        self.docker("start", self.container)

    def compose(self, *words: str) -> None:
        subprocess.run(
            [DOCKER, "compose", "--project-name", self.name, *words],
            cwd=self.root,
            check=True,
            capture_output=True,
        )

    def docker(self, *words: str, stdin: bytes = b"") -> str:
        done = subprocess.run([DOCKER, *words], input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def client(self, *argv: str, database: str = "app", stdin: bytes = b"") -> str:
        """Run one of the server's own programs over its socket."""
        names = ("-e", f"PGDATABASE={database}", "-e", "PGUSER=app")
        return self.docker("exec", "-i", *names, self.container, *argv, stdin=stdin)

    def psql(self, statements: str, database: str = "app") -> str:
        words = ("psql", "-XqAt", "-v", "ON_ERROR_STOP=1")
        return self.client(*words, database=database, stdin=statements.encode())

    def sessions(self) -> int:
        return int(
            self.psql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'invstack-%'"
            )
        )

    def programs(self, name: str) -> int:
        """Return how many of the server's clients of that name run."""
        listed = self.docker("top", self.container, "-eo", "pid,args").splitlines()
        return sum(f" {name} " in f" {line} " for line in listed)

    def copies(self) -> list[str]:
        """Return the dumps that lie about where the server's programs run."""
        names = self.docker("exec", self.container, "sh", "-c", "ls /tmp").split()
        return [each for each in names if each.startswith("invstack")]

    def command(self, verb: str, **options: Any) -> list[str]:
        options["settings"] = {"engine": self.engine, **options.get("settings", {})}
        return [sys.executable, str(DRIVER), str(self.root), verb, json.dumps(options)]

    def start(self, verb: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(verb, **options),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, verb: str, **options: Any) -> tuple[int, Any, str]:
        with self.start(verb, **options) as child:
            out, err = child.communicate(timeout=90)
        return child.returncode, json.loads(out) if out else None, err

    def files(self) -> set[str]:
        return {
            path.relative_to(self.backups).as_posix()
            for path in self.backups.rglob("*")
            if path.is_file() and path.name != ".gitignore"
        }

    def streaming(self, child: subprocess.Popen[str], size: int = 1 << 20) -> None:
        """Wait until a dump has written that many bytes."""
        until(lambda: any(path.stat().st_size > size for path in partials(self.backups)), child)

    def until(self, condition: Any, child: subprocess.Popen[str]) -> None:
        until(condition, child)


@dataclass(frozen=True)
class Embedded(Site):
    """A project folder with a database that is a process of this machine.

    Attributes:
        home: the folder whose stack that is, where it is not this one.
    """

    engine: str = "embedded"
    home: Path | None = None

    def beside(self, root: Path) -> Site:
        there = super().beside(root)
        (root / ".invoke-stack").mkdir()
        (root / ".invoke-stack/embedded").symlink_to(self.root / ".invoke-stack/embedded")
        return dataclasses.replace(there, home=self.home or self.root)

    def up(self) -> None:
        self._inv("stack.up")

    def remove(self) -> None:
        self._inv("stack.down", "--volumes", "--no-backup", "--yes")

    def kill(self) -> None:
        os.kill(self.record.pid, signal.SIGKILL)

    def up_again(self) -> None:
        self.up()

    def _inv(self, *words: str) -> None:
        folder = self.home or self.root
        (folder / "tasks.py").write_text(ONE_LINE)
        done = subprocess.run(
            [INV, *words],
            cwd=folder,
            env={**os.environ, "INVSTACK_ENGINE": self.engine},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    @property
    def record(self) -> Record:
        found = record.read(self.project(), "pg")
        assert found is not None
        return found

    def client(self, *argv: str, database: str = "app", stdin: bytes = b"") -> str:
        found = self.record
        address = {"PGHOST": found.sockets, "PGPORT": str(found.port)}
        done = subprocess.run(
            [f"{found.programs}/{argv[0]}", *argv[1:]],
            env={**os.environ, **address, "PGDATABASE": database, "PGUSER": "app"},
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def programs(self, name: str) -> int:
        ours = f"PGHOST={self.record.sockets}".encode()
        return sum(ours in environ.split(b"\0") for environ in _environments(name))

    def copies(self) -> list[str]:
        return [each.name for each in Path("/tmp").glob("invstack-*.dump")]  # noqa: S108


def _environments(name: str) -> list[bytes]:
    """Return the environments of this machine's processes of a program."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program = (folder / "cmdline").read_bytes().partition(b"\0")[0]
            if os.path.basename(program) == name.encode():  # noqa: PTH119 - of bytes
                found.append((folder / "environ").read_bytes())
    return found


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob(".*.partial"))


def until(condition: Any, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@functools.cache
def docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    done = subprocess.run([DOCKER, "version"], capture_output=True, check=False)
    return done.returncode == 0


def make(root: Path, text: str = COMPOSE, engine: str = "docker") -> Site:
    name = f"dbh-{secrets.token_hex(4)}"
    (root / "compose.yaml").write_text(text.replace("NAME", name))
    return (Embedded if engine == "embedded" else Site)(root, name)

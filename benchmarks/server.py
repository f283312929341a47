"""A PostgreSQL of a benchmark's own, with as much data as it asks for."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dataset

TASKS = "from invoke_stack import namespace\n\nns = namespace()\n"
COMPOSE = """
name: {name}
services:
  pg:
    image: {image}
    shm_size: 256m
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: app}}
    volumes: ["{data}:/var/lib/postgresql/data"]
volumes: {{data: {{}}}}
"""
READY_S = 60


@dataclass(frozen=True)
class Site:
    """A project folder whose database runs; ``data`` is the folder of its files, if it has one."""

    folder: Path
    name: str
    data: Path | None = None

    @property
    def container(self) -> str:
        """The database's container."""
        return f"{self.name}-pg-1"

    @property
    def identity(self) -> str:
        """The container's id, which the calls into it name."""
        argv = ("docker", "inspect", "--format", "{{.Id}}", self.container)
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def psql(self, statements: str, database: str = "app") -> str:
        """Run statements and return what they print."""
        client = ("psql", "-XqAt", "-U", "app", "-d", database, "-v", "ON_ERROR_STOP=1")
        argv = ("docker", "exec", "-i", self.container, *client)
        done = subprocess.run(argv, input=statements, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{statements[:200]}\n{done.stderr}")
        return done.stdout.strip()

    def compose(self, *words: str) -> None:
        """Run Compose on this project."""
        argv = ("docker", "compose", *words)
        subprocess.run(argv, cwd=self.folder, capture_output=True, check=True)

    def wait(self) -> None:
        """Wait until the server answers over TCP, as it will the app."""
        words = ("psql", "-U", "app", "-h", "127.0.0.1", "-c", "SELECT 1")
        argv = ("docker", "exec", "--env", "PGPASSWORD=pw", self.container, *words)
        deadline = time.monotonic() + READY_S
        while subprocess.run(argv, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.container} does not answer")
            time.sleep(0.2)


@contextmanager
def running(image: str, megabytes: int, data: Path | None = None) -> Iterator[Site]:
    """Yield a server of an image with that much data; it is removed at the end.

    Its files lie in a volume, or in the folder ``data``.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), f"invstack-bench-{secrets.token_hex(3)}", data)
        (site.folder / "tasks.py").write_text(TASKS)
        (site.folder / "compose.yaml").write_text(
            COMPOSE.format(name=site.name, image=image, data=data or "data")
        )
        try:
            site.compose("up", "--detach")
            site.wait()
            site.psql(dataset.statements(megabytes))
            yield site
        finally:
            site.compose("down", "--volumes", "--timeout", "2")


def has(image: str) -> bool:
    """Tell whether the engine has an image."""
    argv = ("docker", "image", "inspect", image)
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0

"""Stacks on the embedded engine: real servers of this machine, no Docker, run by the real `inv`."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from stacks import ONE_LINE, Project, Result, canary, free_port

COMPOSE = """\
services:
  pg:
    image: postgres:16-alpine
    command: postgres -c max_connections=37 -c port=5432
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}
      POSTGRES_DB: shop
      POSTGRES_INITDB_ARGS: --data-checksums
    ports: ["${PG_PORT}:5432"]
    volumes:
      - pgdata:/var/lib/postgresql/data
      - ./init:/docker-entrypoint-initdb.d:ro
  cache:
    image: redis:6-alpine
    command:
      - sh
      - -c
      - exec redis-server --requirepass "$$REDIS_PASSWORD" --appendonly yes --appendfsync always
    environment: {REDIS_PASSWORD: "${REDIS_PASSWORD}"}
    ports: ["${CACHE_PORT}:6379"]
    volumes: [cachedata:/data]
  web:
    build: ./web
    depends_on: [pg]
    ports: ["3000:3000"]
volumes: {pgdata: {}, cachedata: {}}
"""
SCRIPTS = {
    "init/1-tables.sql": "CREATE TABLE kept (id int PRIMARY KEY);\nINSERT INTO kept VALUES (1);\n",
    "init/2-more.sh": 'psql --quiet -c "INSERT INTO kept VALUES (2)"\n',
    "web/package.json": '{"scripts": {"dev": "next dev"}}\n',
}


# Root in a container has no right to look into processes of other users.
CONTAINED = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")
# A number that no account has, as with `docker run --user`; it gets at what root installed.
GETS_IN = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
UNNAMED = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", *GETS_IN)
BUSY = "SELECT count(*) FROM generate_series(1, 3000000000)"


@dataclass
class Machine(Project):
    """A project whose stack runs as processes of this machine."""

    environ: dict[str, str] = field(default_factory=dict)
    around: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        return [*self.around, *super().command(*words)]

    @property
    def home(self) -> Path:
        return self.folder / ".invoke-stack" / "embedded"

    def record(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / service / "service.json").read_text())
        return found

    def socket_folders(self, service: str) -> list[Path]:
        """Return the folders for a service's socket among this machine's temporary ones."""
        mark = sha256(str((self.home / service).resolve()).encode()).hexdigest()[:10]
        places = {Path(tempfile.gettempdir()), Path("/tmp")}  # noqa: S108 - looked at alone
        return [found for each in places for found in each.glob(f"invstack-{mark}*")]

    def pid(self, service: str) -> int:
        return int(self.record(service)["pid"])

    def sql(self, statement: str, *, password: str = "", host: str = "127.0.0.1") -> Result:
        """Ask the database over the network, as an application does."""
        environ = {
            "PATH": os.environ["PATH"],
            "PGPASSWORD": password or self.secrets["POSTGRES_PASSWORD"],
            "PGCONNECT_TIMEOUT": "5",
        }
        psql = Path(self.record("pg")["programs"]) / "psql"
        place = ["-h", host, "-p", str(self.ports["PG_PORT"]), "-U", "app", "-d", "shop"]
        done = subprocess.run(
            [psql, "-XAtq", *place, "-c", statement],
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Result(done.returncode, done.stdout.strip(), done.stderr)

    def redis(self, *words: str) -> str:
        """Send one command over the network and return the answer's first line."""
        with socket.create_connection(("127.0.0.1", self.ports["CACHE_PORT"]), 5) as line:
            stream = line.makefile("rb")
            for sent in (("AUTH", self.secrets["REDIS_PASSWORD"]), words):
                parts = [f"${len(each.encode())}\r\n{each}\r\n" for each in sent]
                line.sendall(f"*{len(sent)}\r\n{''.join(parts)}".encode())
                answer = stream.readline().decode().strip()
            return stream.readline().decode().strip() if answer[:1] == "$" else answer

    def remove(self) -> None:
        self.inv("stack.down", "--volumes", "--no-backup", "--yes")
        left = working_below(self.folder)
        assert not left, f"processes still work in {self.folder}: {left}"


def machine(root: Path, compose: str = COMPOSE, **files: str) -> Machine:
    """Make a project with free ports and planted secrets."""
    folder = root / f"emb-{canary()[-8:]}"
    made = Machine(folder, folder.name, {"COMPOSE_PROJECT_NAME": folder.name})
    made.environ["INVSTACK_ENGINE"] = "embedded"
    made.ports = {"PG_PORT": free_port(), "CACHE_PORT": free_port()}
    made.secrets = {"POSTGRES_PASSWORD": canary(), "REDIS_PASSWORD": f"{canary()} $x \"y'z"}
    lines = [f"{key}={number}" for key, number in made.ports.items()]
    lines += [f"POSTGRES_PASSWORD={made.secrets['POSTGRES_PASSWORD']}"]
    quoted = made.secrets["REDIS_PASSWORD"].replace('"', '\\"').replace("$", "\\$")
    lines += [f'REDIS_PASSWORD="{quoted}"']
    texts: Mapping[str, str] = {
        "tasks.py": ONE_LINE,
        "compose.yaml": compose,
        ".env": "\n".join(lines) + "\n",
        **SCRIPTS,
        **files,
    }
    for name, text in texts.items():
        made.write(name, text)
    return made


def working_below(folder: Path) -> list[str]:
    """Return the processes of this machine whose working directory is in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            state = (link.parent / "stat").read_text().rpartition(")")[2].split()[0]
            if str(link.readlink()).startswith(f"{folder.resolve()}/") and state not in "ZX":
                found.append(f"{link.parent.name} {(link.parent / 'comm').read_text().strip()}")
    return found


def running(pid: int) -> bool:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False

"""Shows the product on a real project, from nothing: `python3 examples/try.py`.

Works in a temporary copy of the `hybrid` example with free ports and a project name of its
own, and removes everything it made. Needs Python with venv and pip, and a Docker Engine with
Compose: without one it says so and shows what can be shown without.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PORTS = ("WEB_PORT", "POSTGRES_PORT", "REDIS_PORT", "PGADMIN_PORT", "REDIS_COMMANDER_PORT")

ORDERS = "CREATE TABLE orders AS SELECT 42 AS id, 'a very good order' AS text"
PARITY = ("parity.check",)
FINDINGS = 3
"""The exit code of a check that found something: here it should."""

WITHOUT_ENGINE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Every value, where it came from, secrets masked", ("env.show",)),
    ("Is anything wrong with them", ("env.check",)),
)
WITH_ENGINE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What was found in this project, with no settings at all", ("stack.config", "--prod")),
    *WITHOUT_ENGINE,
    ("What `stack.up` would do", ("--dry", "stack.up", "--prod")),
    ("Up, and waiting until every service is ready", ("stack.up", "--prod")),
    ("What runs", ("stack.ps",)),
    ("A program inside the running service", ("stack.exec", "-s", "web", "--", "node", "-v")),
    ("Some data worth keeping", ("db.shell", "-c", ORDERS)),
    ("A verified backup of the database", ("db.backup", "--label", "try")),
    ("Proof that it restores, in a temporary database", ("db.verify", "--restore")),
    ("The accident", ("db.shell", "-c", "DROP TABLE orders")),
    ("Back: a new database, checked, swapped in by one transaction", ("db.restore", "--yes")),
    ("Nothing is lost", ("db.shell", "-c", "SELECT * FROM orders")),
    ("What production has and this stack has not, with the line to write", PARITY),
    ("Down again, with the volumes", ("stack.down", "--volumes", "--yes")),
)


def main() -> int:
    """Show it; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="invoke-stack-") as temporary:
        folder = Path(temporary)
        python = _install(folder / "venv")
        project = folder / "shop"
        shutil.copytree(REPOSITORY / "examples" / "hybrid", project)
        environ = _environ(folder)
        _env_file(python, project, environ)
        missing = _missing_engine(environ)
        try:
            code = _show(python, project, environ, WITHOUT_ENGINE if missing else WITH_ENGINE)
        finally:
            if not missing:
                _clean(project, environ)
        if missing:
            print(f"\nNo Docker: {missing}")
            print("Everything else needs a Docker Engine with Compose 2.24.4 or newer.")
            print("Install it (https://docs.docker.com/engine/install/) and run this again.")
            return 2
        if code == 0:
            print("\nNext: the same in a project of your own; README.md shows how.")
        return code


def _install(folder: Path) -> str:
    print("installing invoke_stack into a temporary environment", flush=True)
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    subprocess.run((python, "-m", "pip", "install", "--quiet", str(REPOSITORY)), check=True)
    return python


def _environ(folder: Path) -> dict[str, str]:
    name = f"try-{folder.name.rpartition('-')[2].casefold().replace('_', '')}"
    return {**os.environ, "COMPOSE_PROJECT_NAME": name}


def _env_file(python: str, project: Path, environ: Mapping[str, str]) -> None:
    """Make the env file from its template, with ports that are free on this machine."""
    print("\n# The env file, from its template, with generated secrets\n$ inv env.init", flush=True)
    subprocess.run((python, "-m", "invoke", "env.init"), cwd=project, env=environ, check=True)
    ports = dict(zip(PORTS, map(str, _free_ports(len(PORTS))), strict=True))
    lines = (project / ".env.local").read_text(encoding="utf-8").splitlines()
    changed = [
        f"{key}={ports[key]}" if (key := line.partition("=")[0]) in ports else line
        for line in lines
    ]
    (project / ".env.local").write_text("\n".join(changed) + "\n", encoding="utf-8")


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


def _missing_engine(environ: Mapping[str, str]) -> str:
    """Return why there is no usable engine, or ""."""
    for argv in (("docker", "compose", "version"), ("docker", "info")):
        if shutil.which(argv[0]) is None:
            return "`docker` is not installed"
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
            return f"`{' '.join(argv)}` says: {last}"
    return ""


def _show(
    python: str,
    project: Path,
    environ: Mapping[str, str],
    steps: Sequence[tuple[str, tuple[str, ...]]],
) -> int:
    for title, words in steps:
        print(f"\n# {title}\n$ inv {shlex.join(words)}", flush=True)
        start = time.monotonic()
        argv = (python, "-m", "invoke", *words)
        code = subprocess.run(argv, cwd=project, env=environ, check=False).returncode
        print(f"({time.monotonic() - start:.1f} s)", flush=True)
        if code and (words, code) != (PARITY, FINDINGS):
            print(f"\n`inv {' '.join(words)}` ended with exit code {code}")
            return code
    return 0


def _clean(project: Path, environ: Mapping[str, str]) -> None:
    """Remove what a step that failed may have left: this project's things alone."""
    base = ("docker", "compose", "--file", str(project / "docker" / "docker-compose.yml"))
    subprocess.run(
        (*base, "down", "--volumes", "--rmi", "local"),
        cwd=project,
        env={**environ, "COMPOSE_PROFILES": "*"},
        capture_output=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())

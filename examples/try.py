"""Shows the product on a real project, from nothing: `python3 examples/try.py`.

Works in a temporary copy of the `hybrid` example with free ports and a project name of its
own, and removes everything it made. Needs Python with venv and pip. With a Docker Engine and
Compose the whole stack runs there, without one its database and cache run as processes of this
machine.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PORTS = ("WEB_PORT", "POSTGRES_PORT", "REDIS_PORT", "PGADMIN_PORT", "REDIS_COMMANDER_PORT")
DOWNLOAD_S = 180
FINDINGS = 3
"""The exit code of a check that found something: here it should."""

SEED = """INSERT INTO "Note" (body) VALUES ('It works.') ON CONFLICT (body) DO NOTHING;\n"""
ACCIDENT = 'DROP TABLE "Note"'
ROWS = 'SELECT * FROM "Note"'
DRIFT = (('postgresMajorVersion: "16"', 'postgresMajorVersion: "17"'), ("NEXTAUTH_URL", "AUTH_URL"))
"""What somebody changes in production's render.yaml."""


@dataclass(frozen=True)
class Step:
    """A task and what it shows; ``code`` is how it has to end."""

    title: str
    words: tuple[str, ...]
    code: int = 0


def story(*, docker: bool) -> tuple[Step, ...]:
    """Return what is shown; with Docker the app and what it needs, so no large image is pulled."""
    services = ("-s", "web") if docker else ()
    inside = Step(
        "A program inside the running service", ("stack.exec", "-s", "web", "--", "node", "-v")
    )
    return (
        Step("What was found in this project, with no settings at all", ("stack.config",)),
        Step("Every value, where it came from, secrets masked", ("env.show",)),
        Step("Is anything wrong with them", ("env.check",)),
        Step("Up, and waiting until every service is ready", ("stack.up", "--dev", *services)),
        Step("What runs", ("stack.ps",)),
        *((inside,) if docker else ()),
        Step("The pending migration", ("db.migrate",)),
        Step("The first rows", ("db.seed",)),
        Step("A verified backup of the database", ("db.backup", "--label", "try")),
        Step("Proof that it restores, in a temporary database", ("db.verify", "--restore")),
        Step("The accident", ("db.shell", "-c", ACCIDENT)),
        Step("Back: a new database, checked, swapped in at once", ("db.restore", "--yes")),
        Step("Nothing is lost", ("db.shell", "-c", ROWS)),
    )


PARITY = Step("What the stack has to follow, with the line to write", ("parity.check",), FINDINGS)
DOWN = Step("Down again, with the data", ("stack.down", "--volumes", "--yes", "--no-backup"))
FILES_ONLY = (
    Step("Every value, where it came from, secrets masked", ("env.show",)),
    Step("Is anything wrong with them", ("env.check",)),
)


class Shown:
    """The example in a folder of its own, and `inv` to run in it."""

    def __init__(self, folder: Path, python: str) -> None:
        self.project = folder / "shop"
        self.python = python
        name = f"try-{folder.name.rpartition('-')[2].casefold().replace('_', '')}"
        self.environ = {**os.environ, "COMPOSE_PROJECT_NAME": name}
        shutil.copytree(REPOSITORY / "examples" / "hybrid", self.project)

    def run(self, steps: Sequence[Step]) -> int:
        """Run steps until one ends otherwise than it should; return its exit code, or 0."""
        for step in steps:
            print(f"\n# {step.title}\n$ inv {shlex.join(step.words)}", flush=True)
            start = time.monotonic()
            code = subprocess.run(self._inv(step.words), **self._there, check=False).returncode
            print(f"({time.monotonic() - start:.1f} s)", flush=True)
            if code != step.code:
                print(f"\n`inv {' '.join(step.words)}` ended with exit code {code}")
                return code or 1
        return 0

    def make_env(self) -> int:
        """Make the env file from its template, with ports that are free on this machine."""
        init = Step("The env file, from its template, with generated secrets", ("env.init",))
        code = self.run([init])
        path = self.project / ".env.local"
        if code == 0:
            ports = dict(zip(PORTS, map(str, _free_ports(len(PORTS))), strict=True))
            keys = (line.partition("=")[0] for line in path.read_text("utf-8").splitlines())
            lines = zip(keys, path.read_text("utf-8").splitlines(), strict=True)
            text = "\n".join(f"{key}={ports[key]}" if key in ports else line for key, line in lines)
            path.write_text(f"{text}\n", encoding="utf-8")
        return code

    def choose_migrations(self) -> None:
        """Take Prisma where Node, npm and Prisma's engine can be had, else plain SQL files."""
        missing = self._install_prisma()
        if not missing:
            return
        print(f"\nWithout Prisma ({missing}): the same migration as a plain SQL file.")
        (self.project / "migrations").mkdir()
        for number, path in enumerate(sorted(self.project.glob("prisma/migrations/*/*.sql")), 1):
            shutil.copy(path, self.project / "migrations" / f"{number:04}_note.sql")
        (self.project / "seed.sql").write_text(SEED, encoding="utf-8")
        self.environ["INVSTACK_DB_TOOL"] = "sql"

    def drift(self) -> None:
        """Change production as somebody else would."""
        path = self.project / "render.yaml"
        text = path.read_text("utf-8")
        for old, new in DRIFT:
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        print("\nMeanwhile somebody changes production's render.yaml …")

    def clean(self, *, docker: bool) -> None:
        """Remove what a step that failed may have left: this project's things alone."""
        argv = self._inv(DOWN.words)
        if docker:
            base = ("docker", "compose", "--file", str(self.project / "docker/docker-compose.yml"))
            argv = (*base, "--profile", "*", "down", "--volumes", "--rmi", "local")
        subprocess.run(argv, **self._there, capture_output=True, check=False)

    def _inv(self, words: Sequence[str]) -> tuple[str, ...]:
        return (self.python, "-m", "invoke", *words)

    @property
    def _there(self) -> dict[str, object]:
        return {"cwd": self.project, "env": self.environ}

    def _install_prisma(self) -> str:
        """Return why there is no Prisma, or "" once it is installed and has its engine."""
        npm, npx = shutil.which("npm"), shutil.which("npx")
        if npm is None or npx is None or shutil.which("node") is None:
            return "there is no Node with npm"
        print("\ninstalling Prisma with npm", flush=True)
        calls = (
            (npm, "install", "--no-audit", "--no-fund"),
            (npx, "--no-install", "prisma", "version"),
        )
        address = {"DATABASE_URL": "postgresql://nobody@localhost/none"}
        for argv in calls:
            try:
                done = subprocess.run(
                    argv, cwd=self.project, env={**self.environ, **address}, timeout=DOWNLOAD_S,
                    capture_output=True, check=False,
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as problem:
                return type(problem).__name__
            if done.returncode:
                return (
                    "npm cannot install it" if argv[0] == npm else "its engine cannot be had here"
                )
        return ""


def main() -> int:
    """Show it; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missing = _missing_docker()
    embedded = bool(missing) and os.name == "posix"
    with tempfile.TemporaryDirectory(prefix="invoke-stack-") as temporary:
        folder = Path(temporary)
        # PostgreSQL does not run as root: the account that root hands it to has to get here.
        folder.chmod(0o711)
        shown = Shown(folder, _install(folder / "venv", embedded=embedded))
        if missing:
            print(f"\nNo Docker here: {missing}.")
            shown.environ["INVSTACK_ENGINE"] = "embedded"
        if missing and not embedded:
            shown.make_env()
            shown.run(FILES_ONLY)
            print(
                "\nThe rest needs Docker Desktop on this system: https://docs.docker.com/desktop/"
            )
            return 2
        try:
            code = _show(shown, docker=not missing)
        finally:
            shown.clean(docker=not missing)
    if code == 0:
        print("\nNext: the same in a project of your own; README.md shows how, and there")
        print("`inv stack.doctor` says what is missing on this machine.")
    return code


def _show(shown: Shown, *, docker: bool) -> int:
    if not docker:
        print("PostgreSQL and Redis run as processes of this machine instead.")
    code = shown.make_env()
    if code:
        return code
    shown.choose_migrations()
    code = shown.run(story(docker=docker))
    if code:
        return code
    shown.drift()
    return shown.run((PARITY, DOWN))


def _install(folder: Path, *, embedded: bool) -> str:
    print("installing invoke_stack into a temporary environment", flush=True)
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    what = f"{REPOSITORY}[embedded]" if embedded else str(REPOSITORY)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)
    if subprocess.run(pip, check=False).returncode:
        sys.exit("invoke_stack could not be installed; pip says above why")
    return python


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


def _missing_docker() -> str:
    """Return why there is no usable engine, or ""."""
    for argv in (("docker", "compose", "version"), ("docker", "info")):
        if shutil.which(argv[0]) is None:
            return "`docker` is not installed"
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
            return f"`{' '.join(argv)}` says: {last}"
    return ""


if __name__ == "__main__":
    sys.exit(main())

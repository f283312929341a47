"""Projects on a real Docker Engine: made from examples or from a few lines, run by the real `inv`.

Every project has a name of its own, free ports and planted secrets. Each run of `inv` is checked
for what no run may ever show: a traceback or one of those secrets.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
INV = Path(sys.executable).parent / "inv"
LABEL = "com.docker.compose.project"
ONE_LINE = "from invoke_stack import namespace\n\nns = namespace()\n"
# Nothing else of the caller's environment reaches `inv`: no settings, no NODE_ENV, no colours.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK")
# Below the ports that the system hands out to outgoing connections.
PORTS = range(20000, 30000)


def run_docker(*words: str, timeout: float = 60, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


def free_port() -> int:
    """Return a port that nobody listens on, on any address of this machine."""
    while True:
        number = random.choice(PORTS)  # noqa: S311 - not for cryptography
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("", number))
            return number


def canary() -> str:
    """Return a secret that nothing else can look like."""
    return f"canary{secrets.token_hex(12)}"


@dataclass(frozen=True)
class Result:
    """How a run of `inv` ended and what it said."""

    code: int
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error(self) -> str:
        """The one error line."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.stderr
        return lines[0].removeprefix("error: ")

    @property
    def hint(self) -> str:
        """The next step, which every error names."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("  hint: ")]
        assert len(lines) == 1, self.stderr
        return lines[0].removeprefix("  hint: ")

    def ok(self) -> Result:
        assert self.code == 0, self.text
        return self


@dataclass(frozen=True)
class Container:
    """What the engine says about one container."""

    id: str
    started: str
    state: str
    config: Mapping[str, Any]

    @property
    def identity(self) -> tuple[str, str]:
        """Changes when the container is made again or started again."""
        return self.id, self.started


@dataclass
class Project:
    """A folder with a one-line `tasks.py` whose stack nobody else has."""

    folder: Path
    name: str
    environ: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        return [str(INV), *words]

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("DOCKER_")}
        return {**kept, **self.environ, **(extra or {})}

    def inv(
        self,
        *words: str,
        folder: str = "",
        timeout: float = 120,
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        """Run the real program off a terminal and check what no run may show."""
        began = time.monotonic()
        done = subprocess.run(
            self.command(*words),
            cwd=self.folder / folder,
            env=self.environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        seconds = time.monotonic() - began
        return self.checked(Result(done.returncode, done.stdout, done.stderr, seconds))

    def checked(self, result: Result) -> Result:
        assert "Traceback" not in result.text, result.text
        assert "unexpected error" not in result.text, result.text
        shown = [key for key, value in self.secrets.items() if value in result.text]
        assert not shown, f"shows the secrets {shown}: {result.text}"
        return result

    def up(self, *words: str) -> Result:
        return self.inv("stack.up", *words).ok()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def containers(self) -> dict[str, Container]:
        """Return the containers by service, running or not."""
        found = self.listed("ps", "--all")
        documents = json.loads(run_docker("inspect", *found)) if found else []
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: Container(
                each["Id"], each["State"]["StartedAt"], each["State"]["Status"], each["Config"]
            )
            for each in documents
        }

    def identities(self) -> dict[str, tuple[str, str]]:
        return {service: each.identity for service, each in self.containers().items()}

    def listed(self, *words: str) -> list[str]:
        """Return the engine's things that carry this project's label."""
        return run_docker(*words, "--quiet", "--filter", f"label={LABEL}={self.name}").split()

    def get(self, port: str, path: str = "/api/health") -> tuple[int, Any]:
        """Ask the running app; return status and JSON."""
        url = f"http://127.0.0.1:{self.ports[port]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as problem:
            return problem.code, json.load(problem)

    def remove(self) -> None:
        """Remove exactly this Compose project: containers, networks, volumes, built images."""
        if found := self.listed("ps", "--all"):
            run_docker("rm", "--force", "--volumes", *found, check=False)
        if found := self.listed("network", "ls"):
            run_docker("network", "rm", *found, check=False)
        if found := self.listed("volume", "ls"):
            run_docker("volume", "rm", "--force", *found, check=False)
        if found := self.listed("image", "ls", "--all"):
            run_docker("image", "rm", "--force", *dict.fromkeys(found), check=False)


# What a newcomer copies before the first `inv stack.up`, and the ports that have no template.
TEMPLATES: dict[str, dict[str, str]] = {
    "hybrid": {"docker/.env.docker.example": ".env.local"},
    "profiles": {
        ".env.development.example": ".env.development",
        ".env.production.example": ".env.production",
    },
    "selfhosted": {".env.production.example": ".env.production"},
    "split": {},
    "backend": {".env.example": ".env"},
}
PLAIN_PORTS = {"split": ("FRONTEND_PORT", "BACKEND_PORT", "POSTGRES_PORT", "REDIS_PORT")}
_ASSIGNMENT = re.compile(r"(?P<key>\w+)=(?P<value>.*)")


def filled(template: str, project: Project) -> str:
    """Return a template as a user fills it in: free ports, and a canary for every secret."""
    lines, comment = [], ""
    for line in template.splitlines():
        found = _ASSIGNMENT.fullmatch(line)
        text = line
        if found and found["key"].endswith("_PORT"):
            number = project.ports.setdefault(found["key"], free_port())
            text = f"{found['key']}={number}"
        elif found and "@sensitive" in comment and "://" not in line:
            secret = project.secrets.setdefault(found["key"], canary())
            text = f"{found['key']}={secret}"
        comment = comment + line if line.startswith("#") else ""
        lines.append(text)
    return "\n".join(lines) + "\n"


def made(root: Path, layout: str, files: Mapping[str, str]) -> Project:
    name = f"it-{layout or 'bare'}-{secrets.token_hex(4)}"
    folder = root / name
    project = Project(folder, name, {"COMPOSE_PROJECT_NAME": name})
    if layout:
        strays = shutil.ignore_patterns(".invoke-stack", "backups", "__pycache__")
        shutil.copytree(EXAMPLES / layout, folder, ignore=strays)
        for template, target in TEMPLATES[layout].items():
            project.write(target, filled((folder / template).read_text(), project))
        if layout == "profiles":
            # Compose takes staging's ports from here: `.env.production` is only its service's.
            ports = "".join(f"{key}={number}\n" for key, number in project.ports.items())
            project.write(".env", ports)
        for key in PLAIN_PORTS.get(layout, ()):
            project.ports[key] = free_port()
            project.environ[key] = str(project.ports[key])
    else:
        project.write("tasks.py", ONE_LINE)
    for target, text in files.items():
        project.write(target, text)
    return project


@contextlib.contextmanager
def workshop(root: Path) -> Iterator[Callable[..., Project]]:
    projects: list[Project] = []

    def make(layout: str = "", **files: str) -> Project:
        # `compose` is short for the file that most tests write.
        named = {{"compose": "compose.yaml"}.get(key, key): text for key, text in files.items()}
        projects.append(made(root, layout, named))
        return projects[-1]

    try:
        yield make
    finally:
        for each in projects:
            each.remove()


class Begun:
    """A run of `inv` that goes on beside the test."""

    def __init__(self, project: Project, words: tuple[str, ...], log: Path) -> None:
        self._project = project
        self.out, self._err = log.with_suffix(".out"), log.with_suffix(".err")
        self._began = time.monotonic()
        with self.out.open("wb") as out, self._err.open("wb") as err:
            self.child = subprocess.Popen(
                project.command(*words),
                cwd=project.folder,
                env=project.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def said(self, text: str, timeout: float = 30) -> None:
        """Wait until the run has said something."""
        until(lambda: text in self._err.read_text(), timeout, f"{text!r} is never said")

    def signal(self, number: int, *, group: bool) -> None:
        (os.killpg if group else os.kill)(self.child.pid, number)

    def end(self, timeout: float = 20) -> Result:
        code = self.child.wait(timeout)
        seconds = time.monotonic() - self._began
        result = Result(code, self.out.read_text(), self._err.read_text(), seconds)
        return self._project.checked(result)


def until(true: Callable[[], object], timeout: float, otherwise: str) -> None:
    limit = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.05)


def processes(name: str) -> list[str]:
    """Return the command lines of this machine's processes that work on a Compose project."""
    found = []
    needle = name.encode()
    for folder in Path("/proc").glob("[0-9]*"):
        line = environ = b""
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes()
            environ = (folder / "environ").read_bytes()
        if needle in line or b"COMPOSE_PROJECT_NAME=" + needle in environ:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found

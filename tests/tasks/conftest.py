"""A project, a `docker` program and an engine that are fake; everything between is real."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socketserver
import stat
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

if os.name != "posix":
    pytest.skip("programs on PATH and unix sockets of POSIX", allow_module_level=True)

INV = Path(sysconfig.get_path("scripts")) / "inv"
DEADLINE_S = 30
TASKS = "from invoke_stack import namespace\n\nns = namespace()\n"

# Records how it was called, then answers with the first script entry that fits.
DOCKER = """\
#!{python} -SE
import json, os, sys, time
here = {here!r}
# The folder's name comes from the test's and must not be taken for an argument.
line = " ".join(sys.argv[1:]).replace(os.path.dirname(here), "")
with open(here + "/calls.jsonl", "a") as calls:
    call = {{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}
    print(json.dumps(call), file=calls)
for words, stdout, stderr, code, sleep_s in json.load(open(here + "/script.json")):
    if words in line:
        time.sleep(sleep_s)
        sys.stdout.write(stdout)
        sys.stderr.write(stderr)
        sys.exit(code)
"""


@dataclass(frozen=True)
class Ran:
    """How a program ended and what it printed."""

    code: int
    out: str
    err: str

    def document(self) -> dict[str, Any]:
        """Return the one JSON document on stdout."""
        found = json.loads(self.out)
        assert found["schema"] == 1
        return found


class Stage:
    """A project folder, a fake `docker` first on PATH, and `inv` to run in it."""

    program = str(INV)

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self.bin = folder / "bin"
        self.home = folder / "home"
        for each in (self.root, self.bin, self.home):
            each.mkdir()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home)}
        self._script: list[tuple[str, str, str, int, float]] = []
        docker = self.bin / "docker"
        docker.write_text(DOCKER.format(python=sys.executable, here=str(self.bin)))
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
        self.answer("compose version", '{"version":"2.26.1"}')
        self.write("tasks.py", TASKS)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def answer(
        self, words: str, stdout: str = "", *, stderr: str = "", code: int = 0, sleep_s: float = 0
    ) -> None:
        """Answer calls of `docker` whose arguments contain ``words``; the last one set counts."""
        self._script.insert(0, (words, stdout, stderr, code, sleep_s))
        (self.bin / "script.json").write_text(json.dumps(self._script))

    def stack(self, services: Mapping[str, Any], *, name: str = "shop") -> None:
        """Declare a stack, as `docker compose config` prints it, with an empty compose file."""
        if not (self.root / "compose.yaml").exists():
            self.write("compose.yaml", "services: {}\n")
        self.answer("config --format json", json.dumps({"name": name, "services": services}))

    def calls(self, words: str = "") -> list[dict[str, Any]]:
        """Return the calls of `docker` whose arguments contain ``words``."""
        path = self.bin / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if words in " ".join(call["argv"])]

    def snapshot(self) -> dict[str, bytes]:
        """Return every file of the project but the interpreter's own and the locks."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".lock"
        }

    def inv(
        self,
        *words: str,
        cwd: Path | None = None,
        program: tuple[str, ...] = (program,),
        **environ: str,
    ) -> Ran:
        """Run `inv` with these arguments."""
        done = subprocess.run(
            [*program, *words],
            cwd=cwd or self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.out + ran.err, ran.err
        return ran

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `inv` and return at once."""
        return subprocess.Popen(
            [str(INV), *words],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def shell(self, text: str) -> Ran:
        """Run a line of shell, in which `inv` is found."""
        line = text.replace("inv ", f"{shlex.quote(str(INV))} ")
        return self.inv("-c", line, program=("/bin/sh",))

    def await_call(self, words: str) -> dict[str, Any]:
        """Return the first call that contains ``words`` as soon as it is made."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            with contextlib.suppress(ValueError):  # half a line
                if found := self.calls(words):
                    return found[0]
            time.sleep(0.02)
        raise AssertionError(f"docker was never called with {words!r}")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class FakeEngine:
    """The engine's API, as far as this library reads it, from plain data.

    Attributes:
        containers: as `docker inspect` prints them.
        images: by reference, as `docker image inspect` prints them.
        histories: by image id, as the API tells how an image was made.
        answers: how many requests are answered before the engine vanishes.
        gone: tells whether everything has been removed.
    """

    def __init__(self) -> None:
        self.version = "1.45"
        self.containers: list[dict[str, Any]] = []
        self.images: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.volumes: list[str] = []
        self.answers = 10_000
        self.gone: Callable[[], object] = lambda: False
        self.asked: list[str] = []

    def container(
        self, service: str, *, state: str = "running", health: str = "", **more: Any
    ) -> dict[str, Any]:
        """Add a container of the project `shop`."""
        ports = {
            f"{target}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(published)}]  # noqa: S104 - what the engine says
            for target, published in more.get("ports", {}).items()
        }
        document = {
            "Id": f"{service}-id",
            "Name": f"/shop-{service}-1",
            "RestartCount": 0,
            "State": {
                "Status": state,
                "ExitCode": more.get("code", 0),
                "StartedAt": "2026-01-01T00:00:00.5Z",
                **({"Health": {"Status": health, "Log": []}} if health else {}),
            },
            "Config": {
                "Image": more.get("image", f"shop-{service}"),
                "Env": more.get("env", []),
                "Tty": True,
                "Labels": {
                    "com.docker.compose.project": "shop",
                    "com.docker.compose.service": service,
                    "com.docker.compose.project.working_dir": more.get("folder", ""),
                },
            },
            "NetworkSettings": {"Ports": ports},
        }
        self.containers.append(document)
        return document

    def answer(self, path: str) -> Any:
        """Return the document for a path of the API, None for none."""
        self.asked.append(path)
        there = [] if self.gone() else self.containers
        name = path.partition("/")[2].rpartition("/")[0]
        if path == "containers/json":
            return [{"Id": each["Id"], "Ports": _listed(each)} for each in there]
        if path.startswith("containers/"):
            return next((each for each in there if each["Id"] == name), None)
        if path.startswith("images/") and path.endswith("/history"):
            return self.histories.get(name)
        if path.startswith("images/"):
            return self.images.get(name)
        return {
            "version": {"ApiVersion": self.version, "MinAPIVersion": "1.24"},
            "volumes": {"Volumes": [{"Name": each} for each in self.volumes]},
            "system/df": {
                "Volumes": [{"Name": each, "UsageData": {"Size": 1024**2}} for each in self.volumes]
            },
            "info": {"DockerRootDir": "/nowhere"},
        }.get(path)


def _listed(document: dict[str, Any]) -> list[dict[str, int]]:
    ports = document["NetworkSettings"]["Ports"].values()
    return [{"PublicPort": int(each["HostPort"])} for entries in ports for each in entries]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    engine: FakeEngine


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        engine = self.server.engine
        if len(engine.asked) >= engine.answers:
            self.close_connection = True
            return
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if path.startswith("v1."):
            path = path.partition("/")[2]
        found = engine.answer(path)
        body = json.dumps({"message": "no such thing"} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine(stage: Stage) -> Iterator[FakeEngine]:
    """Serve an engine and point `inv` at it."""
    found = FakeEngine()
    # Not in tmp_path: a socket's name has to be short.
    with tempfile.TemporaryDirectory(prefix="is-") as folder:
        path = f"{folder}/e.sock"
        with _Server(path, _Handler) as server:
            server.engine = found
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stage.environ["DOCKER_HOST"] = f"unix://{path}"
            yield found
            server.shutdown()
            thread.join()

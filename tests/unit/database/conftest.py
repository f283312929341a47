"""A stack by hand, and a `docker` program that plays its part from a table."""

import gzip
import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from invoke_stack.compose.model import Model, Service
from invoke_stack.database import manifest as manifests
from invoke_stack.database import names
from invoke_stack.database.manifest import Manifest
from invoke_stack.engines import containers
from invoke_stack.engines.containers import Container, Volume
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

FACTS = {"server": "16.14", "major": 16, "owner": "app", "settings": []}
LISTING = """;     Dumped by pg_dump version: 16.14
215; 1259 16386 TABLE public t app
2537; 0 16386 TABLE DATA public t app
"""
# An archive's first bytes: version 1.15, custom format, gzip.
HEAD = b"PGDMP\x01\x0f\x00\x04\x08\x01\x01\x00\x00\x00\x00"
WHOLE = HEAD + bytes(range(256)) * 40 + bytes(5)

SCRIPT = b"""--
-- PostgreSQL database dump
--
SELECT 1;
--
-- PostgreSQL database dump complete
--

\\unrestrict token
"""
ROLES = b"CREATE ROLE app;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n"

# Answers by the program that is asked for: [exit code, stdout file, stderr].
PLAYER = """#!{python}
import json, sys
answers = json.load(open({answers!r}))
words = sys.argv[1:]
open({log!r}, "a").write(json.dumps(words) + "\\n")
fed = sys.stdin.buffer.read().decode(errors="replace") if "--interactive" in words else ""
text = " ".join([*words, fed])
key = next((key for key in answers if all(part in text for part in key.split())), None)
if key is None:
    sys.exit(0)
code, out, err = answers[key]
sys.stdout.buffer.write(open(out, "rb").read())
sys.stderr.write(err)
sys.exit(code)
"""


@dataclass(frozen=True)
class FakeDeclared:
    """The part of `Declared` that `db.*` reads."""

    model: Model
    active_names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.model.name

    def active(self) -> dict[str, Service]:
        chosen = self.active_names or tuple(self.model.services)
        return {name: self.model.services[name] for name in chosen}


@dataclass
class FakeEngine:
    """The part of an engine that `db.*` asks; with ``folder`` the programs are on this machine."""

    found: tuple[Container, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    log: str = ""
    folder: Path | None = None
    near: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    endpoint: Any = field(default_factory=lambda: SimpleNamespace(local=True))

    @property
    def name(self) -> str:
        return "docker" if self.folder is None else "embedded"

    def programs(self, _container: str) -> Path | None:
        return self.folder

    def address(self, _container: str) -> dict[str, str]:
        return self.near

    def containers(self, project: str) -> tuple[Container, ...]:
        return tuple(each for each in self.found if each.project == project)

    def volumes(self, _project: str) -> tuple[Volume, ...]:
        return tuple(Volume(each, 1) for each in self.kept)

    def environment(self, _container: str) -> dict[str, str]:
        return self.env

    def logs(self, _container: str, _lines: int) -> str:
        return self.log


def container(service: str = "pg", state: str = "running", exit_code: int = 0) -> Container:
    labels = {containers.PROJECT: "shop", containers.SERVICE: service}
    return containers.from_inspect(
        {
            "Id": f"id-{service}",
            "Config": {"Labels": labels, "Image": "postgres:16"},
            "State": {"Status": state, "ExitCode": exit_code, "StartedAt": "2026-11-20T10:00:00Z"},
        }
    )


@pytest.fixture
def make_engine() -> Callable[..., FakeEngine]:
    def make(*states: str) -> FakeEngine:
        return FakeEngine(tuple(container(state=state) for state in states if state))

    return make


@pytest.fixture
def declared() -> FakeDeclared:
    environment = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "canary-pw", "POSTGRES_DB": "shop"}
    pg = Service("pg", image="postgres:16-alpine", environment=environment)
    return FakeDeclared(Model("shop", {"pg": pg, "web": Service("web")}))


@pytest.fixture
def declare() -> Callable[..., FakeDeclared]:
    def make(*services: Service, active: tuple[str, ...] = ()) -> FakeDeclared:
        return FakeDeclared(Model("shop", {each.name: each for each in services}), active)

    return make


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine((container(),))


@pytest.fixture
def embedded(tmp_path: Path) -> FakeEngine:
    """An engine without containers, whose server has its programs, data and socket here."""
    near = {"PGHOST": "/run/pg", "PGPORT": "5433"}
    return FakeEngine((container(),), folder=tmp_path / "bin", near=near)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    def make(*, dry: bool = False, **db: Any) -> Project:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        environ = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        own = load([Source("test", {"db": db})])
        return Project(root, own, SystemRunner(environ, dry=dry), environ)

    return make


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


class FakeDocker:
    """Writes the table that the `docker` on PATH answers from, and reads what it was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[str, Any] = {}
        (folder / "bin").mkdir()
        self._log = folder / "asked"
        program = folder / "bin" / "docker"
        paths = {"answers": str(folder / "answers"), "log": str(self._log)}
        program.write_text(PLAYER.format(python=sys.executable, **paths))
        program.chmod(0o755)
        self.answer("pg_dumpall", ROLES)
        self.answer("pg_dump --format=plain --compress=0", SCRIPT)
        self.answer("pg_dump --format=plain --compress=1", gzip.compress(SCRIPT))
        self.answer("psql json_build_object", b"0\n" + json.dumps(FACTS).encode())
        self.answer("psql pg_terminate_backend", b"0\n")
        self.answer("pg_restore --list", LISTING.encode())
        self.answer("pg_restore --file=/dev/null")
        self.answer("pg_dump", WHOLE)

    def forget(self, words: str) -> bytes:
        """Answer these words no more; return what was said."""
        return Path(self._answers.pop(words)[1]).read_bytes()

    def answer(self, words: str, out: bytes = b"", code: int = 0, err: str = "") -> None:
        path = self._folder / f"answer-{len(self._answers)}-{abs(hash(words))}"
        path.write_bytes(out)
        self._answers[words] = [code, str(path), err]
        (self._folder / "answers").write_text(json.dumps(self._answers))

    @property
    def asked(self) -> list[list[str]]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    if os.name != "posix":
        pytest.skip("the stand-in for docker is a script with a #! line")
    return FakeDocker(tmp_path)


@pytest.fixture
def store(project: Project) -> Callable[..., Path]:
    """Write a backup by hand, with a manifest that fits it."""

    def write(name: str, data: bytes = WHOLE, **changes: Any) -> Path:
        folder = project.root / "backups" / "shop"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_bytes(data)
        values: dict[str, Any] = {
            "file": name,
            "created_at": "2026-11-20T17:04:59Z",
            "database": "shop",
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        manifests.write(names.manifest_of(file), Manifest(**{**values, **changes}))
        return file

    return write


@pytest.fixture
def whole() -> bytes:
    return WHOLE

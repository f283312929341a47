"""A real PostgreSQL of our own, made with plain Compose and thrown away at the end."""

import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import contents
import pytest

DRIVER = Path(__file__).with_name("driver.py")
DOCKER = shutil.which("docker") or "docker"
ODD = 'we ird-"n;ame'
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

SEED = """
CREATE TABLE t AS SELECT g AS id, md5(g::text) AS word FROM generate_series(1, 1000) g;
ALTER TABLE t ADD PRIMARY KEY (id);
CREATE VIEW v AS SELECT count(*) FROM t;
CREATE SEQUENCE s;
SELECT nextval('s'), lo_from_bytea(0, 'large');
ALTER DATABASE app SET app.jwt_secret = 'canary-jwt';
"""
BIG = """
CREATE TABLE big AS SELECT string_agg(md5(a::text || b), '') AS word
FROM generate_series(1, 2500) a, generate_series(1, 1500) b GROUP BY a;
"""


@dataclass(frozen=True)
class Site:
    """A project folder with a running database."""

    root: Path
    name: str
    backups: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "backups", self.root / "backups")

    @property
    def container(self) -> str:
        return f"{self.name}-pg-1"

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

    def psql(self, statements: str, database: str = "app") -> str:
        words = ("exec", "-i", "-e", f"PGDATABASE={database}", self.container)
        client = ("psql", "-XqAt", "-U", "app", "-v", "ON_ERROR_STOP=1")
        return self.docker(*words, *client, stdin=statements.encode())

    def sessions(self) -> int:
        return int(
            self.psql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'invstack-%'"
            )
        )

    def programs(self, name: str) -> int:
        listed = self.docker("top", self.container, "-eo", "pid,args").splitlines()
        return sum(f" {name} " in f" {line} " for line in listed)

    def command(self, verb: str, **options: Any) -> list[str]:
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


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob(".*.partial"))


def until(condition: Any, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def engine_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    done = subprocess.run([DOCKER, "version"], capture_output=True, check=False)
    return done.returncode == 0


def make(root: Path, text: str = COMPOSE) -> Site:
    name = f"dbh-{secrets.token_hex(4)}"
    (root / "compose.yaml").write_text(text.replace("NAME", name))
    return Site(root, name)


@pytest.fixture(scope="session")
def make_site() -> Callable[[Path, str], Site]:
    """Make a project folder for another image."""
    return lambda root, image: make(root, COMPOSE.replace("postgres:16-alpine", image))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the whole folder: databases `app` (small), `big` and an odd name."""
    if not engine_answers():
        pytest.skip("no Docker engine answers")
    site = make(tmp_path_factory.mktemp("server"))
    try:
        site.compose("up", "--detach")
        assert site.run("wait", timeout_s=60)[0] == 0
        site.psql(SEED)
        site.psql("CREATE DATABASE big;")
        site.psql(BIG, "big")
        quoted = ODD.replace('"', '""')
        site.psql(f'CREATE DATABASE "{quoted}" TEMPLATE app;')
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "1")


@pytest.fixture
def site(server: Site, tmp_path: Path) -> Site:
    """The server, from a project folder that is empty but for its compose file."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(server.root / "compose.yaml", root)
    return Site(root, server.name)


@pytest.fixture
def fresh(server: Site, tmp_path: Path) -> Iterator[Site]:
    """A project whose stack has not been started yet."""
    site = make(tmp_path)
    yield site
    site.compose("down", "--volumes", "--timeout", "1")


@pytest.fixture
def odd() -> str:
    return ODD


@pytest.fixture
def canaries() -> tuple[str, str]:
    return PASSWORD, "canary-jwt"


@dataclass(frozen=True)
class Shop:
    """A database of one test, with mixed content, on the server that all share."""

    site: Site
    name: str
    settings: dict[str, Any]

    def content(self) -> str:
        return self.site.psql(contents.CONTENT, self.name)

    def state(self) -> str:
        return self.site.psql(contents.DATABASE, self.name)

    def run(self, verb: str, **options: Any) -> tuple[int, Any, str]:
        return self.site.run(verb, settings={"db": self.settings}, **options)

    def start(self, verb: str, **options: Any) -> subprocess.Popen[str]:
        return self.site.start(verb, settings={"db": self.settings}, **options)

    def ok(self, verb: str, **options: Any) -> Any:
        code, document, err = self.run(verb, **options)
        assert code == 0, err
        return document

    def backup(self) -> str:
        return str(self.ok("backup", fast=True)["file"])

    def psql(self, statements: str) -> str:
        return self.site.psql(statements, self.name)

    def databases(self) -> list[str]:
        """Return this database and everything on the server that is called like a part of it."""
        found = self.site.psql("SELECT datname FROM pg_database ORDER BY 1").splitlines()
        return [each for each in found if each.startswith(self.name[:20])]

    def variants(self, kind: str) -> list[str]:
        return [each for each in self.databases() if f"__{kind}_" in each]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="session")
def stock(server: Site) -> str:
    """A database to copy: filling one takes longer than copying it."""
    server.psql("CREATE DATABASE stock")
    server.psql(contents.MIXED, "stock")
    return "stock"


@pytest.fixture(scope="session")
def stock_file(server: Site, stock: str) -> str:
    """A backup of it."""
    code, made, err = server.run("backup", settings={"db": {"name": stock}}, fast=True)
    assert code == 0, err
    return str(made["file"])


@pytest.fixture
def shops(site: Site, stock: str) -> Iterator[Any]:
    """Make databases with mixed content: `shops("name")`; they are dropped at the end."""
    made: list[Shop] = []

    def make(name: str = "", **settings: Any) -> Shop:
        name = name or f"shop{secrets.token_hex(4)}"
        site.psql(f"CREATE DATABASE {quoted(name)} TEMPLATE {stock}")
        made.append(Shop(site, name, {"name": name, **settings}))
        return made[-1]

    yield make
    for shop in made:
        for each in shop.databases():
            site.psql(f"DROP DATABASE {quoted(each)} WITH (FORCE)")


@pytest.fixture
def shop(shops: Any) -> Shop:
    return shops()


@pytest.fixture(scope="session")
def newer_compose() -> Any:
    """Make the project of a newer server."""
    if not engine_answers():
        pytest.skip("no Docker engine answers")
    return lambda root: make(root, COMPOSE.replace("postgres:16-alpine", "postgres:17"))

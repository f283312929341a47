"""Real PostgreSQL servers of our own, made for the tests and thrown away at the end."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contents
import pytest
import sites
from sites import Site

ODD = 'we ird-"n;ame'

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


class Servers:
    """One server of each engine for the whole folder, made when a test first wants it.

    Databases: `app` (small), `big`, `stock` (mixed content) and one of an odd name.
    """

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self._folder = folder
        self._made: dict[str, Site] = {}
        self._files: dict[str, str] = {}

    def of(self, engine: str) -> Site:
        if engine not in self._made:
            site = self._made[engine] = sites.make(self._folder(engine), engine=engine)
            site.up()
            assert site.run("wait", timeout_s=60)[0] == 0
            site.psql(SEED)
            site.psql("CREATE DATABASE big;")
            site.psql(BIG, "big")
            site.psql("CREATE DATABASE stock")
            site.psql(contents.MIXED, "stock")
            site.psql(f"CREATE DATABASE {quoted(ODD)} TEMPLATE app;")
        return self._made[engine]

    def file(self, engine: str) -> str:
        """Return a backup of `stock`."""
        if engine not in self._files:
            settings = {"db": {"name": "stock"}}
            code, made, err = self.of(engine).run("backup", settings=settings, fast=True)
            assert code == 0, err
            self._files[engine] = str(made["file"])
        return self._files[engine]

    def remove(self) -> None:
        for each in self._made.values():
            each.remove()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    if not sites.docker_answers():
        pytest.skip("no Docker engine answers")
    found = Servers(lambda engine: tmp_path_factory.mktemp(f"server-{engine}"))
    try:
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="session")
def server(servers: Servers) -> Site:
    """The server in a container."""
    return servers.of("docker")


@pytest.fixture(scope="session")
def make_site() -> Callable[[Path, str], Site]:
    """Make a project folder for another image."""
    return lambda root, image: sites.make(root, sites.COMPOSE.replace("postgres:16-alpine", image))


@pytest.fixture
def site(servers: Servers, engine: str, tmp_path: Path) -> Site:
    """The server, from a project folder that is empty but for its compose file."""
    return servers.of(engine).beside(tmp_path / "project")


@pytest.fixture
def fresh(servers: Servers, engine: str, tmp_path: Path) -> Iterator[Site]:
    """A project whose stack has not been started yet."""
    site = sites.make(tmp_path, engine=engine)
    yield site
    site.remove()


@pytest.fixture
def odd() -> str:
    return ODD


@pytest.fixture
def canaries() -> tuple[str, str]:
    return sites.PASSWORD, "canary-jwt"


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


@pytest.fixture
def stock_file(servers: Servers, engine: str) -> str:
    """A backup of a database with mixed content."""
    return servers.file(engine)


@pytest.fixture
def shops(site: Site) -> Iterator[Any]:
    """Make databases with mixed content: `shops("name")`; they are dropped at the end."""
    made: list[Shop] = []

    def make(name: str = "", **settings: Any) -> Shop:
        name = name or f"shop{secrets.token_hex(4)}"
        site.psql(f"CREATE DATABASE {quoted(name)} TEMPLATE stock")
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
def newer_compose(servers: Servers) -> Any:
    """Make the project of a newer server."""
    newer = sites.COMPOSE.replace("postgres:16-alpine", "postgres:17")
    return lambda root: sites.make(root, newer)

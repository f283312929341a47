"""Prisma from npm and one PostgreSQL server, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import prisma_projects
import pytest
from prisma_projects import App, Begun, Kit, Server
from stacks import run_docker


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return prisma_projects.installed(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = prisma_projects.server(tmp_path_factory.mktemp("server"))
    try:
        yield made
    finally:
        words = ("compose", "--project-directory", str(made.folder), "down", "--volumes")
        run_docker(*words, "--timeout", "1", check=False)


@pytest.fixture
def app(kit: Kit, server: Server, tmp_path: Path) -> Callable[..., App]:
    """Make one project: `app("7")`, or `app("7", migrated=True)`."""

    def make(version: str = "7", *, migrated: bool = False) -> App:
        return prisma_projects.app(tmp_path, kit, server, version, migrated=migrated)

    return make


@pytest.fixture(scope="module")
def all_begun(
    request: pytest.FixtureRequest,
    kit: Kit,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, str], Begun]]:
    """Begin every selected scenario of the file: most of the time they wait for each other's CPU.

    One call of Prisma takes more than a second; one after the other they would take minutes.
    """
    root = tmp_path_factory.mktemp("apps")
    prisma_projects.templates(root, kit, server)

    def run(scenario: Callable[[App], None], version: str) -> None:
        migrated = scenario not in request.module.FRESH
        scenario(prisma_projects.app(root, kit, server, version, migrated=migrated))

    with ThreadPoolExecutor(4) as pool:
        begun = {}
        for item in request.session.items:
            params = getattr(getattr(item, "callspec", None), "params", {})
            if item.path == request.path and "scenario" in params:
                scenario, version = params["scenario"], params["version"]
                begun[scenario.__name__, version] = pool.submit(run, scenario, version)
        yield begun
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def begun(
    all_begun: dict[tuple[str, str], Begun], scenario: Callable[[App], None], version: str
) -> Begun:
    return all_begun[scenario.__name__, version]

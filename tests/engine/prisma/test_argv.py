"""No task hands the database's password over in argv; Prisma, to its own engine, does.

That is not ours to change, and the docs say so; that it is this one process and no other is what
is tested. Prisma 6 does it for the moment in which it looks whether the database is there.
"""

from __future__ import annotations

import base64
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import prisma_projects
import pytest
from argv import Watcher
from prisma_projects import GENERATOR, VERSIONS
from stacks import Begun, canary, free_port, until

if TYPE_CHECKING:
    from prisma_projects import App, Kit, Server

POST = "\nmodel Post {\n  id Int @id\n}\n"
TASKS = ("db.migrate", "db.generate", "db.seed", "db.status")


def login(app: App) -> str:
    """Give the app a user of its own, whose password nobody else has; return the password."""
    role, password = f"own_{app.database}", canary()
    app.secrets["own"] = password
    app.sql(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}'")
    app.sql(f'ALTER DATABASE "{app.database}" OWNER TO {role}')
    app.url(user=role, password=password)
    return password


def through(app: App) -> None:
    """Run every task that starts Prisma."""
    app.schema(generator=GENERATOR)
    for task in TASKS:
        app.inv("--echo", task).ok()
    app.schema(POST, generator=GENERATOR)
    app.inv("--echo", "db.migrate", "--name", "add_post").ok()
    app.migration("20990102000000_more", "SELECT 1;")
    app.inv("--echo", "db.migrate", "--prod", "--yes").ok()  # with its backup
    port = free_port()
    run = Begun(app, ("--echo", "db.studio", "--port", str(port)), app.folder / "studio.log")
    try:
        until(lambda: f"http://localhost:{port}" in run.out.read_text(), 60, "it never answers")
    finally:
        run.signal(signal.SIGINT, group=False)
    run.end()


def engines(seen: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return those that are Prisma's engine: the program, or node with its stand-in."""
    return {line for line in seen if any("schema-engine" in Path(each).name for each in line[:2])}


@pytest.fixture(scope="module")
def seen(
    kit: Kit, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[tuple[str, ...]]]:
    """Return the command lines with the password, by Prisma's version; both run side by side."""
    root = tmp_path_factory.mktemp("argv")
    apps = {version: prisma_projects.app(root, kit, server, version) for version in VERSIONS}
    watchers = {version: Watcher([login(each)]) for version, each in apps.items()}
    for watcher in watchers.values():
        watcher.start()
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(through, apps.values()))
    finally:
        for watcher in watchers.values():
            watcher.stop()
    assert all(watcher.rounds > 50 for watcher in watchers.values())
    return {version: watcher.seen for version, watcher in watchers.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_password_is_in_no_argv_but_that_of_prismas_engine(
    seen: dict[str, set[tuple[str, ...]]], version: str
) -> None:
    assert seen[version] == engines(seen[version])
    # Nothing seen would mean that nobody looked.
    assert seen[version]
    looking = {line for line in seen[version] if line[-1] == "can-connect-to-database"}
    assert (seen[version] == looking) == (version == "6")


@pytest.mark.parametrize("word", ["{}", "--url={}", "postgresql://a:{}@b/c"])
def test_a_password_is_seen_plain_inside_a_word_and_in_base64(word: str) -> None:
    secret = canary()
    watcher = Watcher([secret])
    packed = base64.b64encode(f'{{"url":"{word.format(secret)}"}}'.encode())
    assert watcher.shows(b"psql\0" + word.format(secret).encode() + b"\0")
    assert watcher.shows(b"engine\0--datasource\0" + packed + b"\0")
    assert not watcher.shows(b"engine\0--datasource\0" + packed[::-1])

"""Prisma Studio: for this machine's browser alone, gone after ^C."""

from __future__ import annotations

import contextlib
import json
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prisma_projects import VERSIONS
from stacks import Begun, free_port, until

if TYPE_CHECKING:
    from prisma_projects import App

NAMED = "SELECT current_database() AS name"
LISTENING = "0A"
LOOPBACK = "0100007F"


def listeners(port: int) -> set[str]:
    """Return the addresses that somebody listens on, as the kernel writes them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if state == LISTENING and int(number, 16) == port:
                found.add(address)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_studio_answers_on_the_loopback_until_interrupted(
    app: Callable[..., App], tmp_path: Path, version: str
) -> None:
    project, port = app(version), free_port()
    run = Begun(project, ("db.studio", "--port", str(port)), tmp_path / "studio.log")
    try:
        until(lambda: f"http://localhost:{port}" in run.out.read_text(), 60, "it never answers")
        assert listeners(port) == {LOOPBACK}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
            assert answer.status == 200
        taken = project.inv("db.studio", "--port", str(port))
        assert (taken.code, f"port {port} cannot be used" in taken.error) == (2, True)
    finally:
        run.signal(signal.SIGINT, group=False)
    result = run.end()
    assert result.code == 130, result.text
    assert listeners(port) == set()


def shown(port: int) -> str:
    """Return the database behind Studio 7, asked as its page asks."""
    asked = {"procedure": "query", "query": {"sql": NAMED, "parameters": []}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/bff",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own port
        _, rows = json.load(answer)
    return str(rows[0]["name"])


def given(folder: Path) -> set[str]:
    """Return the URLs that Prisma's processes in a folder were started with."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.joinpath("cwd").resolve() != folder:
                continue
            words = process.joinpath("environ").read_bytes().split(b"\0")
            found |= {each.decode() for each in words if each.startswith(b"DATABASE_URL=")}
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_studio_shows_the_database_that_a_variable_names(
    app: Callable[..., App], tmp_path: Path, version: str
) -> None:
    project, port = app(version), free_port()
    other = f"{project.database}_other"
    project.sql(f'CREATE DATABASE "{other}"')
    text = (project.folder / ".env").read_text()
    named = text.replace("DATABASE_URL", "OTHER_URL").replace(project.database, other)
    project.write(".env", text + named)
    words = ("db.studio", "--port", str(port), "--target", "OTHER_URL")
    assert project.inv(*words, "--prod").code == 4  # asked, and nobody answers

    run = Begun(project, words, tmp_path / "studio.log")
    try:
        until(lambda: f"http://localhost:{port}" in run.out.read_text(), 60, "it never answers")
        if version == "7":
            assert shown(port) == other
        else:  # its own API is answered by an engine that is not there
            urls = given(project.folder)
            assert [url for url in urls if f"/{other}" in url], "Studio was never started"
            assert not [url for url in urls if f"/{other}" not in url]
    finally:
        run.signal(signal.SIGINT, group=False)
    assert run.end().code == 130

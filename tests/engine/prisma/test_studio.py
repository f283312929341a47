"""Prisma Studio: for this machine's browser alone, gone after ^C."""

from __future__ import annotations

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

"""How soon the embedded engine's database and cache are ready, against Docker on the same file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import INV, Spent, interleaved, median, run, spread

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests/engine")]

from stacks import ONE_LINE, free_port  # noqa: E402 - the path above

ROUNDS = 5
NAME = "invstack-bench-embedded"
COMPOSE = """\
services:
  pg:
    image: postgres:16-alpine
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: of-a-benchmark, POSTGRES_DB: shop}}
    ports: ["{}:5432"]
    volumes: ["pgdata:/var/lib/postgresql/data"]
    healthcheck: {{test: ["CMD-SHELL", "pg_isready -U app -d shop"], interval: 1s, retries: 60}}
  cache:
    image: redis:7-alpine
    ports: ["{}:6379"]
    healthcheck: {{test: ["CMD", "redis-cli", "ping"], interval: 1s, retries: 60}}
volumes: {{pgdata: {{}}}}
"""


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    with _project("embedded") as ours, _project("docker") as theirs:
        first = interleaved(lambda: _first(ours), lambda: _first(theirs), ROUNDS)
        later = interleaved(lambda: _later(ours), lambda: _later(theirs), ROUNDS)
        again = interleaved(lambda: _up(ours), lambda: _up(theirs), ROUNDS)
    what = ("first `stack.up`", "later `stack.up`, data there", "`stack.up` of what runs")
    limits = ("≤ 3 s", "≤ 1 s", "≤ 1 s")
    found = []
    for name, (own, other), limit in zip(what, (first, later, again), limits, strict=True):
        wall, peer = [each.wall for each in own], [each.wall for each in other]
        ratio = f"{median(wall):.2f} s, {median(wall) / median(peer):.2f} ×"
        found.append((f"{name}, embedded vs Docker", spread(wall), spread(peer), ratio, limit))
    return found


@contextmanager
def _project(engine: str) -> Iterator[tuple[Path, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp())
    (folder / "compose.yaml").write_text(COMPOSE.format(free_port(), free_port()))
    (folder / "tasks.py").write_text(ONE_LINE)
    environ = {"INVSTACK_ENGINE": engine, "COMPOSE_PROJECT_NAME": f"{NAME}-{engine}"}
    try:
        yield folder, environ
    finally:
        _gone((folder, environ), "--volumes", "--no-backup", "--yes")
        shutil.rmtree(folder)


def _up(project: tuple[Path, dict[str, str]]) -> Spent:
    folder, environ = project
    return run((*INV, "stack.up"), folder, environ)


def _first(project: tuple[Path, dict[str, str]]) -> Spent:
    _gone(project, "--volumes", "--no-backup", "--yes")
    return _up(project)


def _later(project: tuple[Path, dict[str, str]]) -> Spent:
    _gone(project)
    return _up(project)


def _gone(project: tuple[Path, dict[str, str]], *words: str) -> None:
    folder, environ = project
    run((*INV, "stack.down", *words), folder, environ)

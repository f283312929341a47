"""How soon the `hybrid` example is ready, against plain Compose on the same files and images."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import INV, Spent, interleaved, median, run, spread

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "hybrid"
NAME = "invstack-bench"
ROUNDS = 3
FILES = ("-f", "docker/docker-compose.yml", "-f", "docker/docker-compose.prod.yml")


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    with _project() as folder:
        compose = ("docker", "compose", *FILES)
        up = (*compose, "up", "-d", "--wait")
        run((*compose, "build"), folder)
        first = interleaved(lambda: _fresh(ours(), folder), lambda: _fresh(up, folder), ROUNDS)
        run(ours(), folder)
        before = _containers()
        again_ours = [run(ours(), folder) for _ in range(ROUNDS)]
        recreated = len(set(_containers()) - set(before))
        _down(folder)
        run(up, folder)
        again_theirs = [run(up, folder) for _ in range(ROUNDS)]
    wall_ours, wall_theirs = ([each.wall for each in side] for side in first)
    ratio = median(wall_ours) / median(wall_theirs)
    later_ours, later_theirs = ([each.wall for each in side] for side in (again_ours, again_theirs))
    more = median(later_ours) - median(later_theirs)
    peer = "docker compose up -d --wait"
    return [
        (
            f"first `stack.up --prod` vs `{peer}`",
            spread(wall_ours),
            spread(wall_theirs),
            f"{ratio:.3f} ×",
            "≤ 0.20 ×",
        ),
        (
            f"second `stack.up --prod` vs second `{peer}`",
            spread(later_ours),
            spread(later_theirs),
            f"{more:+.2f} s",
            "≤ +1.2 s",
        ),
        (
            "containers that the second `stack.up` recreated",
            str(recreated),
            "-",
            str(recreated),
            "0",
        ),
    ]


def ours() -> tuple[str, ...]:
    """Return our command."""
    return (*INV, "stack.up", "--prod")


def _fresh(argv: tuple[str, ...], folder: Path) -> Spent:
    """Time a start from nothing: no containers, no volumes, images built."""
    _down(folder)
    return run(argv, folder)


def _down(folder: Path) -> None:
    run(("docker", "compose", *FILES, "down", "--volumes", "--timeout", "2"), folder)


def _containers() -> list[str]:
    label = f"label=com.docker.compose.project={NAME}"
    argv = ("docker", "ps", "--no-trunc", "--quiet", "--filter", label)
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


@contextmanager
def _project() -> Iterator[Path]:
    """Yield a copy of the example with free ports and a project name of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "hybrid"
        shutil.copytree(EXAMPLE, folder)
        ports = {name: str(_free()) for name in ("WEB_PORT", "POSTGRES_PORT", "REDIS_PORT")}
        os.environ.update(ports | {"COMPOSE_PROJECT_NAME": NAME})
        shutil.copy(folder / "docker" / ".env.docker.example", folder / ".env.local")
        try:
            yield folder
        finally:
            _down(folder)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

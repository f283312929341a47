"""Running commands against each other, in turns, so that a slow minute hits both."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INV = (sys.executable, "-m", "invoke")


@dataclass(frozen=True)
class Spent:
    """Wall-clock and CPU seconds of one command and its children."""

    wall: float
    cpu: float


def run(argv: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Spent:
    """Run a command to its end; a failure ends the benchmark with its output."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, cpu)


def interleaved(
    ours: Callable[[], Spent], theirs: Callable[[], Spent], rounds: int
) -> tuple[list[Spent], list[Spent]]:
    """Return the figures of both sides, run in turns."""
    pairs = [(theirs(), ours()) for _ in range(rounds)]
    return [pair[1] for pair in pairs], [pair[0] for pair in pairs]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "s") -> str:
    """Return `median (min-max)` for a table."""
    scale = 1000 if unit == "ms" else 1
    low, mid, high = (f"{v * scale:.2f}" for v in (min(values), median(values), max(values)))
    return f"{mid} {unit} ({low}-{high})"

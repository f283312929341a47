"""What reading and resolving env files costs by the number of keys, beside python-dotenv."""

from __future__ import annotations

import gc
import io
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from dotenv.parser import parse_stream
from measure import median, spread

from invoke_stack.environment.layers import read
from invoke_stack.environment.resolve import resolve
from invoke_stack.modes import find

SIZES = (10_000, 20_000, 50_000, 100_000)
ROUNDS = 7
# Of a time that follows n log n over these sizes it would be 1.10, of n squared 2.
LINEAR = 1.05
Row = tuple[str, str, str, str, str]
Times = dict[int, list[float]]


def rows() -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    with tempfile.TemporaryDirectory() as temporary:
        files = {size: _file(Path(temporary), size) for size in SIZES}
        ours, theirs = _rounds(files)
        steps = {size: _steps(path) for size, path in files.items()}
    small, large = SIZES[0], SIZES[-1]
    mine, peer = _exponent(ours), _exponent(theirs)
    sizes = ", ".join(f"{size:,}" for size in SIZES)
    return [
        (
            "reading and resolving 10,000 keys vs python-dotenv's bare `parse_stream`, CPU time",
            spread(ours[small], "ms"),
            spread(theirs[small], "ms"),
            f"{median(ours[small]) / median(theirs[small]):.2f} ×",
            "≤ 3 ×",
        ),
        (
            "the same for 100,000 keys",
            spread(ours[large], "ms"),
            spread(theirs[large], "ms"),
            f"{median(ours[large]) / median(theirs[large]):.2f} ×",
            "≤ 3 ×",
        ),
        (
            f"CPU time per key of {sizes} keys: exponent (1 is linear, n log n gives 1.10)",
            _per_key(ours),
            _per_key(theirs),
            f"{mine:.3f}, peer {peer:.3f}",
            f"≤ {LINEAR}",
        ),
        (
            "lines of Python run per key, 100,000 keys to 10,000",
            " to ".join(f"{steps[size] / size:.2f}" for size in (large, small)),
            "-",
            f"{steps[large] / large / (steps[small] / small):.4f} ×",
            "1.00 ×",
        ),
    ]


def _file(folder: Path, keys: int) -> Path:
    """Write a file as people write it: plain values, quotes, references and comments."""
    shapes = (
        "KEY_{n}=value-{n}",
        'KEY_{n}="a quoted value {n}"',
        "KEY_{n}='single {n}'  # said",
        "KEY_{n}=http://${{KEY_{m}:-localhost}}:80{n}/x",
        "# a comment\nKEY_{n}=postgresql://user:pw{n}@localhost:5432/app",
    )
    lines = (shapes[n % len(shapes)].format(n=n, m=max(n - 7, 0)) for n in range(keys))
    path = folder / str(keys) / ".env"
    path.parent.mkdir()
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _rounds(files: dict[int, Path]) -> tuple[Times, Times]:
    """Time both readers on every size in turns, as a slow minute would look like a curve."""
    ours, theirs = ({size: [] for size in SIZES} for _ in range(2))
    for _ in range(ROUNDS):
        for size, path in files.items():
            ours[size].append(_apart(_resolved, path))
            theirs[size].append(_apart(_parsed, path))
    return ours, theirs


def _apart(work: Callable[[Path], object], path: Path) -> float:
    """Time it in a process of its own: in a used one, memory that lies ready flatters a size."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_timed, work, path).result()


def _timed(work: Callable[[Path], object], path: Path) -> float:
    warm = path.parent.parent / "warm"
    if not warm.exists():
        warm.write_text("A=1\nB=${A}\n")
    work(warm)
    gc.collect()
    start = time.process_time()
    work(path)
    return time.process_time() - start


def _resolved(path: Path) -> None:
    resolve(find("dev"), [read(path, path.parent)], {}, {})


def _parsed(path: Path) -> None:
    list(parse_stream(io.StringIO(path.read_text())))


def _steps(path: Path) -> int:
    """Count the lines of Python that run: no clock, no cache, the same every time."""
    count = 0

    def local(_frame: object, event: str, _what: object) -> object:
        nonlocal count
        count += event == "line"
        return local

    sys.settrace(lambda _frame, _event, _what: local)
    try:
        _resolved(path)
    finally:
        sys.settrace(None)
    return count


def _exponent(times: Times) -> float:
    """Return the slope of log(time) over log(keys), by least squares."""
    xs = [math.log(size) for size in SIZES]
    ys = [math.log(median(times[size])) for size in SIZES]
    return _slope(xs, ys)


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum(
        (a - x) ** 2 for a in xs
    )


def _per_key(times: Times) -> str:
    return ", ".join(f"{median(times[size]) / size * 1e6:.1f}" for size in SIZES) + " µs"

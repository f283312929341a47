"""No env file makes anything hang: each has two seconds, in a process that can be killed.

Two seconds of processor time, as a busy machine is no finding; what waits is killed later.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

LIMIT_S, WAITING_S = 2.0, 60
JOBS = ("resolved", "linted", "made", "judged")
SEED, COUNT = 20261120, 150
WORKER = Path(__file__).with_name("fuzzed.py")
MANY, LINES = 6_000, 1_500

TOKENS = [
    *"AB=='\"`\\$#: \t{}()<>[]@/-+?x01\n\r\0", "\n", "A=", "\nB=", "${A}", "$B", "${A:-", "}", "$$",
    "${N:-${", "export ", " # c", "\\$", "\\n", "\\'", '\\"', "$(x)", "# @type=", "# @generate=",
    "# @required\n", "enum(", "://u:p@h:1/", "é", "\u2028", "\ufeff", "${A:+", "${A?", "**/",
]  # fmt: skip


def many(part: str) -> str:
    return part * (LINES if "\n" in part else MANY)


HOSTILE = {
    **{f"many of {part!r}": many(part) for part in TOKENS},
    **{f"a value of many {part!r}": f"A={many(part)}\n" for part in TOKENS},
    **{f"in double quotes many {part!r}": f'A="{many(part)}' for part in TOKENS},
    **{f"in single quotes many {part!r}": f"A='{many(part)}" for part in TOKENS},
    **{f"many lines of {part!r}": many(f"{part}\n") for part in ("", "A=1", "A", "#", "A=${A}")},
    "many keys": "".join(f"A{n}=1\n" for n in range(LINES)),
    "much of what is doubled": f"A={'x' * 100_000}\nB={'${A}' * MANY}\n",
    "many defaults": "".join(f"A{n}=${{A{n}:-1}}\n" for n in range(LINES)),
    "doubling": "A0=xxxxxxxx\n" + "".join(f"A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(60)),
    "nested defaults": "A=" + "${A:-" * 5_000 + "}" * 5_000 + "\n",
    "a chain": "".join(f"A{n}=${{A{n + 1}}}\n" for n in range(2_000)),
    "a chain that is in order": "A0=1\n" + "".join(f"A{n + 1}=${{A{n}}}\n" for n in range(2_000)),
    "a circle": "".join(f"A{n}=${{A{(n + 1) % 500}}}\n" for n in range(500)),
    "everything refers to everything": "".join(
        f"A{n}={''.join(f'${{A{m}:-}}' for m in range(60) if m != n)}\n" for n in range(60)
    ),
    "a long key": "A" * 200_000 + "=1\n",
    "a huge value": "A=" + "x" * 300_000 + "\n",
    "words without end": "A_SECRET=" + "supersecret" * 5_000 + "!\n",
    "dots and dashes": "A_URL=http://" + "a.b-c@" * 10_000 + ":\n",
}  # fmt: skip


def randomly(seed: int, count: int) -> Iterator[bytes]:
    source = random.Random(seed)  # noqa: S311 - a repeatable sequence
    for _ in range(count):
        text = "".join(source.choices(TOKENS, k=source.randint(0, 60))).encode()
        yield text * source.choice([1, 1, 1, 300]) + source.randbytes(source.choice([0, 0, 4]))


class Worker:
    """A process that looks at one input after the other."""

    def __init__(self, folder: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder / "template")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.is_done("resolved", b"", limit_s=60)  # everything is imported now

    def is_done(self, job: str, data: bytes, *, limit_s: float = LIMIT_S) -> bool:
        """Tell whether the worker is done with an input in time; else it is killed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        watch = threading.Timer(WAITING_S, self._child.kill)
        watch.start()
        try:
            self._child.stdin.write(
                json.dumps([job, base64.b64encode(data).decode(), limit_s]) + "\n"
            )
            self._child.stdin.flush()
            return self._child.stdout.readline() == "done\n"
        except BrokenPipeError:
            return False
        finally:
            watch.cancel()

    def end(self) -> None:
        self._child.kill()
        self._child.communicate()


class Workers:
    """A worker, and a new one after each that did not get done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker = Worker(folder)

    def late(self, data: bytes) -> list[str]:
        """Return the jobs that do not get done with an input in time."""
        return [job for job in JOBS if not self._is_done(job, data)]

    def _is_done(self, job: str, data: bytes) -> bool:
        if self._worker.is_done(job, data):
            return True
        self.end()
        self._worker = Worker(self._folder)
        return False

    def end(self) -> None:
        self._worker.end()


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    found = Workers(tmp_path_factory.mktemp("fuzzed"))
    yield found
    found.end()


def test_no_hostile_input_takes_longer_than_two_seconds(workers: Workers) -> None:
    late = {name: found for name, text in HOSTILE.items() if (found := workers.late(text.encode()))}

    assert late == {}


def test_no_random_input_takes_longer_than_two_seconds(workers: Workers) -> None:
    late = {data: found for data in randomly(SEED, COUNT) if (found := workers.late(data))}

    assert late == {}


def test_an_input_that_takes_too_long_would_be_seen(workers: Workers, tmp_path: Path) -> None:
    worker = Worker(tmp_path)

    assert not worker.is_done("linted", b"A=1\n" * MANY, limit_s=0.001)
    assert workers.late(b"A=1\n") == []
    worker.end()

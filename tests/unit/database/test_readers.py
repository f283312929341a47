"""What reads a dump while it arrives."""

import gzip
import os
import sys
import threading
from typing import Any

import pytest

from invoke_stack.database import readers
from invoke_stack.process import Command, SystemRunner

COUNTS = Command((sys.executable, "-c", "import sys; print(len(sys.stdin.buffer.read()))"))
STOPS = Command((sys.executable, "-c", "import sys; print(sys.stdin.buffer.read(3))"))
FAILS = Command((sys.executable, "-c", "import sys; sys.stdin.buffer.read(); sys.exit('bad')"))
PART = memoryview(b"x" * (1 << 18))


def heard(*commands: Command, parts: int = 20) -> tuple[readers.Heard, ...]:
    with readers.Programs(SystemRunner(os.environ), commands) as reading:
        for _ in range(parts):
            reading.take(PART)
        reading.end()
        return reading.heard()


def test_every_program_gets_every_byte() -> None:
    found = heard(COUNTS, COUNTS)

    assert [each.lines for each in found] == [(str(20 * len(PART)),)] * 2


def test_one_that_has_heard_enough_does_not_disturb_the_others() -> None:
    stopped, counted = heard(STOPS, COUNTS)

    assert (stopped.code, stopped.lines) == (0, ("b'xxx'",))
    assert counted.lines == (str(20 * len(PART)),)


def test_how_each_one_ended_is_told_in_their_order() -> None:
    assert [each.code for each in heard(FAILS, COUNTS)] == [1, 0]


def test_nothing_is_started_before_the_first_byte() -> None:
    assert heard(COUNTS, parts=0) == ()


def test_leaving_early_ends_them() -> None:
    before = threading.active_count()
    with readers.Programs(SystemRunner(os.environ), [COUNTS]) as reading:
        reading.take(PART)

    assert threading.active_count() == before


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("step", [1, 7, 1000, 10**6])
def test_the_end_of_a_script_is_seen_however_it_arrives(compressed: Any, step: int) -> None:
    text = b"SELECT 1;\n" * 300 + b"-- the end"
    data = gzip.compress(text) if compressed else text
    script = readers.Script(compressed=compressed)
    for start in range(0, len(data), step):
        script.take(memoryview(data)[start : start + step])

    assert script.last.endswith(b"-- the end")


def test_a_packed_script_without_its_end_or_with_damage_has_no_end() -> None:
    data = gzip.compress(b"text" * 1000)
    for broken in (data[:-1], b"x" + data[1:]):
        script = readers.Script(compressed=True)
        script.take(memoryview(broken))

        assert script.last == b""

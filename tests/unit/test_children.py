from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_stack.process import Command, Running, SystemRunner

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")
DEADLINE_S = 10.0


def python(code: str, *words: str) -> Command:
    return Command((sys.executable, "-c", code, *words))


@pytest.fixture
def runner() -> SystemRunner:
    return SystemRunner(dict(os.environ))


@pytest.fixture
def hasty() -> SystemRunner:
    """A runner that does not wait long for a program to end politely."""
    return SystemRunner(dict(os.environ), grace_s=0.2)


def wait_for(path: Path) -> str:
    """Return what another process writes into a file as soon as it is there."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if text := path.read_text():
                return text
        time.sleep(0.01)
    raise AssertionError(f"nothing was written to {path.name}")


def ended(pid: int) -> bool:
    """Return whether the process ends; a zombie nobody reaps has ended too."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


@pytest.fixture
def pid_file(tmp_path: Path) -> Iterator[Path]:
    """Where a child writes a process id; what still runs at the end is killed."""
    path = tmp_path / "pid"
    yield path
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(path.read_text()), signal.SIGKILL)


GRANDCHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(str(child.pid))
path.with_suffix(".new").rename(path)
"""


@POSIX
def test_leaving_the_block_ends_grandchildren_too(runner: SystemRunner, pid_file: Path) -> None:
    with runner.start(python(f"{GRANDCHILD}\ntime.sleep(60)", str(pid_file))) as running:
        grandchild = int(wait_for(pid_file))

    assert running.poll() is not None
    assert ended(grandchild)


@POSIX
def test_grandchildren_end_also_when_the_program_itself_has_ended(
    runner: SystemRunner, pid_file: Path
) -> None:
    # The pipe is closed for the grandchild, or waiting for the program's output would wait for it.
    code = GRANDCHILD.replace('60)"]', '60)"], stdout=subprocess.DEVNULL, stderr=-3')
    with runner.start(python(code, str(pid_file))) as running:
        grandchild = int(wait_for(pid_file))
        assert running.wait(DEADLINE_S) == 0

    assert ended(grandchild)


@POSIX
def test_an_error_in_the_block_ends_the_program(runner: SystemRunner) -> None:
    with (
        pytest.raises(KeyError),
        runner.start(python("import time; time.sleep(60)")) as running,
    ):
        raise KeyError

    assert running.poll() is not None


STUBBORN = """
import pathlib, signal, sys, time
for name in sys.argv[2:]:
    signal.signal(getattr(signal, name), signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("ready")
time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize(
    ("ignored", "number"),
    [((), signal.SIGINT), (("SIGINT",), signal.SIGTERM), (("SIGINT", "SIGTERM"), signal.SIGKILL)],
)
def test_stop_escalates_until_the_program_ends(
    hasty: SystemRunner, tmp_path: Path, ignored: tuple[str, ...], number: signal.Signals
) -> None:
    with hasty.start(python(STUBBORN, str(tmp_path / "x"), *ignored)) as running:
        wait_for(tmp_path / "x")
        began = time.monotonic()
        running.stop()

    assert running.poll() == -number
    assert time.monotonic() - began < 3


@POSIX
def test_what_ignores_every_polite_signal_is_killed_with_its_group(
    hasty: SystemRunner, pid_file: Path
) -> None:
    code = GRANDCHILD.replace(
        '"import time; ', '"import time, signal; signal.signal(2, signal.SIG_IGN); '
    )
    with hasty.start(python(f"{code}\ntime.sleep(60)", str(pid_file))):
        grandchild = int(wait_for(pid_file))
        time.sleep(0.2)

    assert ended(grandchild)


def test_stopping_what_has_ended_is_no_error(runner: SystemRunner) -> None:
    with runner.start(python("pass")) as running:
        running.wait(DEADLINE_S)
        running.stop()
        running.stop()

    assert isinstance(running, Running)
    assert running.poll() == 0


@POSIX
def test_what_left_the_group_does_not_hold_the_caller_up(
    hasty: SystemRunner, pid_file: Path
) -> None:
    code = GRANDCHILD.replace('60)"]', '60)"], start_new_session=True')
    began = time.monotonic()

    with hasty.start(python(code, str(pid_file))) as running:
        escaped = int(wait_for(pid_file))

    assert time.monotonic() - began < 5
    os.kill(escaped, signal.SIGKILL)
    running.stop()
    running.close()

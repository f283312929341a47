"""Kills everything that the embedded engine consists of, at random, and counts what is lost.

Before each kill rows are committed to PostgreSQL and keys to Redis (`appendfsync always`), each
noted once the server has acknowledged it. After it one `stack.up` has to bring all of them back,
and after `stack.down` no process may be left.

python benchmarks/embeddedkills.py [KILLS [SEED]]
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).resolve().parent.parent / "tests/engine"),
    str(Path(__file__).resolve().parent.parent / "tests/engine/embedded"),
]

from machine import Machine, machine, working_below  # noqa: E402 - the path above

KILLS = 100
SEED = 20261121
VICTIMS = ("postgres", "backend", "redis", "inv up", "inv restart", "inv down")
WRITING_S = 0.25
LATEST_S = 1.5
"""How long after its start an `inv` is killed at the latest, in seconds."""


@dataclass
class Tally:
    """What a campaign has seen.

    Attributes:
        lost: acknowledged rows or keys that were gone.
        failed: what the `stack.up` after a kill said where it did not succeed.
        orphans: processes that were left after `stack.down`.
    """

    kills: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    keys: int = 0
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


class Writer:
    """Commits numbers to both servers until it is told to stop, or a server is gone."""

    def __init__(self, stack: Machine, first: int) -> None:
        self.acknowledged: list[int] = []
        self.kept: list[int] = []
        self._stack, self._next, self._stop = stack, first, threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._rows, self._keys)]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End both and wait for what they have been answered last."""
        self._stop.set()
        for each in self._threads:
            each.join(30)

    def _rows(self) -> None:
        record, secret = self._stack.record("pg"), self._stack.secrets["POSTGRES_PASSWORD"]
        psql = Path(record["programs"]) / "psql"
        place = f"host=127.0.0.1 port={record['port']} user=app dbname=shop connect_timeout=5"
        with subprocess.Popen(
            [psql, "-XAtq", "-v", "ON_ERROR_STOP=1", place],
            env={"PGPASSWORD": secret},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            number = self._next
            with suppress(OSError):
                while not self._stop.is_set():
                    statement = f"INSERT INTO kept VALUES ({number}) RETURNING id;"  # noqa: S608
                    child.stdin.write(f"{statement}\n")
                    child.stdin.flush()
                    if child.stdout.readline().strip() != str(number):
                        break
                    self.acknowledged.append(number)
                    number += 1
            with suppress(OSError):
                child.stdin.close()

    def _keys(self) -> None:
        number = self._next
        with suppress(OSError):
            while not self._stop.is_set() and self._stack.redis("SET", f"k{number}", "1") == "+OK":
                self.kept.append(number)
                number += 1


def campaign(folder: Path, kills: int, seed: int) -> Tally:
    """Run a number of kills on one stack and return what they did."""
    chance, tally = random.Random(seed), Tally()  # noqa: S311 - not for cryptography
    stack = machine(folder)
    try:
        stack.up()
        rows, keys = {1, 2}, set()
        for count in range(kills):
            victim = chance.choice(VICTIMS)
            writer = Writer(stack, (count + 1) * 100_000)
            time.sleep(WRITING_S * chance.random())
            _kill(stack, victim, chance)
            writer.stop()
            tally.kills[victim] += 1
            rows |= set(writer.acknowledged)
            keys |= set(writer.kept)
            _judge(stack, tally, victim, rows, keys)
            if chance.random() < 0.2:  # noqa: PLR2004 - every fifth time
                _down(stack, tally)
        tally.rows, tally.keys = len(rows), len(keys)
        _down(stack, tally)
    finally:
        stack.remove()
    return tally


def _kill(stack: Machine, victim: str, chance: random.Random) -> None:
    if victim.startswith("inv "):
        words = {"inv up": ("stack.up", "--recreate")}.get(victim, (f"stack.{victim[4:]}",))
        with subprocess.Popen(
            stack.command(*words),
            cwd=stack.folder,
            env=stack.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as child:
            time.sleep(LATEST_S * chance.random())
            child.send_signal(signal.SIGKILL)
        return
    pid = stack.pid("cache" if victim == "redis" else "pg")
    if victim == "backend":
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pid = int(chance.choice(children)) if children else pid
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _judge(stack: Machine, tally: Tally, victim: str, rows: set[int], keys: set[int]) -> None:
    """Bring the stack up again and look for everything that was ever acknowledged."""
    done = stack.inv("stack.up")
    if done.code != 0:
        tally.failed.append(f"after {victim}: {done.text[-2000:]}")
        stack.up()
    there = {int(each) for each in stack.sql("SELECT id FROM kept").ok().stdout.split()}
    tally.lost += [f"row {each} after {victim}" for each in sorted(rows - there)]
    count = int(stack.redis("DBSIZE").removeprefix(":"))
    if count < len(keys):
        tally.lost.append(f"{len(keys) - count} keys after {victim}")


def _down(stack: Machine, tally: Tally) -> None:
    stack.inv("stack.down").ok()
    tally.orphans += working_below(stack.folder)
    stack.up()


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    with tempfile.TemporaryDirectory() as folder:
        tally = campaign(Path(folder), KILLS, SEED)
    seen = f"{tally.rows} rows, {tally.keys} keys acknowledged"
    return [
        (f"committed data lost in {KILLS} random kills", seen, "-", f"{len(tally.lost)}", "0"),
        ("`stack.up` after a kill that failed", "-", "-", f"{len(tally.failed)}", "0"),
        ("processes left after `stack.down`", "-", "-", f"{len(tally.orphans)}", "0"),
    ]


if __name__ == "__main__":
    wanted = [int(each) for each in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as made:
        print(campaign(Path(made), *(wanted + [KILLS, SEED][len(wanted) :])))

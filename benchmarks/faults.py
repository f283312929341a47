"""Interrupts backups at random moments in random ways: `python3 benchmarks/faults.py [TRIES]`.

After each try it counts what must never be there: a file that looks finished and is not, success
reported for nothing; and after the next run anything that is left of the interrupted one. The
tests do a tenth of it. `run` takes any scenario, so that other commands are tried the same way.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import server
from measure import INV
from server import Site

TRIES = 200
MEGABYTES = 60
IMAGE = "postgres:16-alpine"
SMALL = "small"
"""The folder of a try whose disk is too small, below the project's."""

PROGRAMS = ("pg_dump", "pg_restore")
"""What may work for a task inside the container, its checks included."""

BAD = (
    "unfinished files that look finished",
    "successes reported for nothing",
    "files left after the next run",
    "sessions left",
    "processes left",
    "databases left",
    "locks left",
    "next runs that failed",
)

_KILL = (
    'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = "$0" ] && kill -KILL ${p#/proc/}; '
    "done; true"
)


_LEFT = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'invstack-%'),
       (SELECT count(*) FROM pg_database WHERE datname LIKE 'invstack-%')
"""


@dataclass(frozen=True)
class Scenario:
    """A command that is interrupted.

    Attributes:
        words: the arguments of `inv`.
        program: what works for it inside the container.
        check: looks at the project after a try; gets the exit code, returns what is wrong.
        before: is called before each try.
        full: arguments for a folder on a disk that is too small; none where it writes none.
        after: the arguments of the next run, which has nothing to do with it and cleans up.
        left: looks at the project after that run; returns what is left.
        harms: further ways to interrupt it; what each does is made good when its block ends.
    """

    words: tuple[str, ...]
    program: str
    check: Callable[[Site, int], Counter[str]]
    before: Callable[[Site], None] = field(default=lambda _site: None)
    full: tuple[str, ...] = ()
    after: tuple[str, ...] = ("db.wait",)
    left: Callable[[Site], Counter[str]] = field(default=lambda _site: Counter())
    harms: Mapping[str, Callable[[Site], AbstractContextManager[None]]] = field(
        default_factory=dict
    )


def faults(scenario: Scenario) -> tuple[str, ...]:
    """Return the ways to interrupt it here; a small disk can only be mounted by root."""
    ways = ("INT", "TERM", "KILL", "program", "container", *scenario.harms)
    return (*ways, "disk") if scenario.full and os.geteuid() == 0 else ways


def run(scenario: Scenario, site: Site, tries: int, seed: int = 1) -> Counter[str]:
    """Interrupt that many runs; return how they ended and what was wrong."""
    chance = random.Random(seed)  # noqa: S311 - not for cryptography
    whole_s = _whole(scenario, site)
    found: Counter[str] = Counter(dict.fromkeys(BAD, 0))
    ways = faults(scenario)
    for number in range(tries):
        way = ways[number % len(ways)]
        scenario.before(site)
        # The first third is the start of Python and of the client; little can go wrong there.
        after_s = chance.uniform(0.3, 1.0) * whole_s
        room = disk(site.folder / SMALL, chance.randint(1, MEGABYTES // 15))
        with room if way == "disk" and scenario.full else contextlib.nullcontext():
            code = _try(scenario, site, way, after_s)
            found["finished before it" if code == 0 else f"ended by {way}"] += 1
            # How long a run takes changes with what else the machine does.
            whole_s *= 0.9 if code == 0 else 1.02
            found.update(scenario.check(site, code))
            found.update(_after(scenario, site))
    return found


def _whole(scenario: Scenario, site: Site) -> float:
    """Return how long a run takes that nobody interrupts."""
    scenario.before(site)
    began = time.monotonic()
    subprocess.run((*INV, *scenario.words), cwd=site.folder, capture_output=True, check=True)
    return time.monotonic() - began


def _try(scenario: Scenario, site: Site, way: str, after_s: float) -> int:
    """Run it once and interrupt it; return its exit code."""
    if way == "disk" and scenario.full:
        return _started(site, (*scenario.words, *scenario.full)).wait()
    child = _started(site, scenario.words)
    time.sleep(after_s)
    if way in scenario.harms:
        with scenario.harms[way](site):
            return child.wait()
    if way == "program":
        _docker("exec", site.container, "sh", "-c", _KILL, scenario.program)
    elif way == "container":
        _docker("kill", site.container)
    elif child.poll() is None:
        child.send_signal(getattr(signal, f"SIG{way}"))
    code = child.wait()
    if way == "container":
        _docker("start", site.container)
        site.wait()
    return code


def _started(site: Site, words: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        (*INV, *words), cwd=site.folder, stdin=subprocess.DEVNULL, start_new_session=True, **quiet
    )


@contextlib.contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Have a folder on a disk of that size."""
    folder.mkdir()
    size = f"size={megabytes}m"
    subprocess.run(("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)), check=True)
    try:
        yield
    finally:
        subprocess.run(("umount", str(folder)), check=True)
        folder.rmdir()


def _after(scenario: Scenario, site: Site) -> Counter[str]:
    """Run a task that has nothing to do with it; return what is left then."""
    done = subprocess.run(
        (*INV, *scenario.after), cwd=site.folder, capture_output=True, text=True, check=False
    )
    sessions, databases = site.psql(_LEFT).split("|")
    return scenario.left(site) + Counter(
        {
            "next runs that failed": int(done.returncode != 0),
            "files left after the next run": len(list(site.folder.rglob("*.partial"))),
            "sessions left": int(sessions),
            "databases left": int(databases),
            "processes left": _inside(scenario, site) + _outside(site),
            "locks left": sum(map(_held, (site.folder / ".invoke-stack").glob("*.lock"))),
        }
    )


def _inside(scenario: Scenario, site: Site) -> int:
    listed = _docker("top", site.container, "-eo", "pid,args").splitlines()
    watched = {scenario.program, *PROGRAMS}
    return sum(any(f" {each} " in f" {line} " for each in watched) for line in listed)


def _outside(site: Site) -> int:
    """Return how many clients of the container run on this machine."""
    identity = site.identity.encode()
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            found += identity in words and b"exec" in words[:2]
    return found


def _held(path: Path) -> bool:
    with path.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _docker(*words: str) -> str:
    done = subprocess.run(("docker", *words), capture_output=True, text=True, check=False)
    return done.stdout.strip()


def checked(site: Site, code: int) -> Counter[str]:
    """Return what is wrong with the backups there are, and remove them again."""
    seen = {*site.folder.rglob("*.dump")}
    wrong: Counter[str] = Counter()
    for path in seen:
        wrong["unfinished files that look finished"] += not _whole_file(site, path)
        wrong["killed between file and manifest"] += not _beside(path).exists()
        path.unlink()
        _beside(path).unlink(missing_ok=True)
    wrong["unfinished files that look finished"] += len([*site.folder.rglob("*.dump.json")])
    wrong["successes reported for nothing"] += code == 0 and not seen
    return wrong


BACKUP = Scenario(("db.backup",), "pg_dump", checked, full=("--to", SMALL))
"""Each file that can be seen must be whole, and success mean a new one."""


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _whole_file(site: Site, path: Path) -> bool:
    """Tell whether a program that has nothing of ours reads it, and the manifest fits."""
    with contextlib.suppress(FileNotFoundError):
        wanted = json.loads(_beside(path).read_text())["sha256"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            return False
    argv = ("docker", "exec", "-i", site.container, "pg_restore", "-f", "/dev/null")
    with path.open("rb") as stream:
        done = subprocess.run(argv, stdin=stream, capture_output=True, check=False)
    return done.returncode == 0


def backups(tries: int, megabytes: int = MEGABYTES) -> Counter[str]:
    """Interrupt that many backups of a server of our own."""
    with server.running(IMAGE, megabytes) as site:
        return run(BACKUP, site, tries)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured row: what, ours, peer, figure, target."""
    found = backups(TRIES)
    bad = {name: found[name] for name in BAD}
    what = f"`db.backup` interrupted {TRIES} times at random: {', '.join(bad)}"
    counts = ", ".join(map(str, bad.values()))
    hit = f"{TRIES - found['finished before it']} hit"
    return [(what, f"{counts}; {hit}", "-", str(sum(bad.values())), "0")]


def main() -> int:
    """Print the counts."""
    found = backups(int(sys.argv[1]) if len(sys.argv) > 1 else TRIES)
    for name, count in found.items():
        print(f"{count:5} {name}")
    return 1 if any(found[name] for name in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())

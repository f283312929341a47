"""Interrupts restores at random moments in random ways: `python3 benchmarks/restorefaults.py`.

The live database must be the old content or the new one after each try, and after the next run
nothing of the interrupted one may be left. The tests do a tenth of it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import faults
import server
from faults import Scenario
from measure import INV
from server import Site

TRIES = 100
MEGABYTES = 20
DISK_MEGABYTES = 600
_LITTLE_WAL = "ALTER SYSTEM SET max_wal_size = '100MB'; SELECT pg_reload_conf()"
RETRIES = 3
BAD = (*faults.BAD, "databases lost or mixed")
_CONTENT = """
SELECT x || ' ' || (SELECT count(*) || ' ' || sum(hashtextextended(d::text, 0)) FROM documents d)
  || ' ' || (SELECT count(*) FROM pg_largeobject_metadata)
FROM which
"""
_UNFINISHED = "SELECT count(*) FROM pg_database WHERE datname LIKE 'app\\_\\_new\\_%'"


class Content:
    """Knows both contents that the database may have after a try."""

    def __init__(self, site: Site) -> None:
        site.psql("CREATE TABLE which AS SELECT 'backup' AS x")
        subprocess.run((*INV, "db.backup", "--fast"), cwd=site.folder, check=True)
        self._backup = site.psql(_CONTENT)
        self._live = ""

    def before(self, site: Site) -> None:
        """Change the live content."""
        site.psql("UPDATE which SET x = 'live'; DELETE FROM documents WHERE id % 7 = 0")
        self._live = site.psql(_CONTENT)

    def check(self, site: Site, code: int) -> Counter[str]:
        """Return what is wrong with the content."""
        wanted = {self._backup} if code == 0 else {self._backup, self._live}
        return Counter({"databases lost or mixed": int(_content(site) not in wanted)})


def left(site: Site) -> Counter[str]:
    """Return what the next run has not removed."""
    files = int(_sh(site, "ls /tmp | grep -c invstack") or 0)
    return Counter(
        {
            "databases left": int(site.psql(_UNFINISHED)),
            "files left after the next restore": int(files > 1),
        }
    )


def _sh(site: Site, script: str) -> str:
    argv = ("docker", "exec", site.container, "sh", "-c", script)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def _content(site: Site) -> str:
    """Return the content; what the killed run has started may just be ending all sessions."""
    for _ in range(RETRIES):
        with contextlib.suppress(SystemExit):
            return site.psql(_CONTENT)
        time.sleep(0.5)
    return site.psql(_CONTENT)


@contextlib.contextmanager
def filled(site: Site) -> Iterator[None]:
    """Have no room left on the server's disk; a server that gave up is started again."""
    assert site.data is not None
    ballast = site.data / "ballast"
    try:
        with ballast.open("wb") as stream, contextlib.suppress(OSError):
            while room := _room(site.data):
                os.posix_fallocate(stream.fileno(), stream.seek(0, os.SEEK_END), room)
        yield
    finally:
        ballast.unlink()
        subprocess.run(("docker", "start", site.container), capture_output=True, check=True)
        site.wait()


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def scenario(site: Site) -> Scenario:
    """Return the restore that is interrupted; a server on a small disk has that filled, too."""
    content = Content(site)
    harms = {"disk": filled} if site.data else {}
    return Scenario(
        ("db.restore", "--yes"),
        "pg_restore",
        content.check,
        content.before,
        after=("db.snapshot", "--name", "next"),
        left=left,
        harms=harms,
    )


@contextlib.contextmanager
def live(megabytes: int = MEGABYTES, image: str = faults.IMAGE) -> Iterator[Site]:
    """Yield a server whose disk is small, where we may mount one."""
    if os.geteuid() != 0:
        with server.running(image, megabytes) as site:
            yield site
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with faults.disk(data, DISK_MEGABYTES), server.running(image, megabytes, data) as site:
            for statement in _LITTLE_WAL.split(";"):
                site.psql(statement)
            yield site


def restores(tries: int) -> Counter[str]:
    """Interrupt that many restores on a server of our own."""
    with live() as site:
        return faults.run(scenario(site), site, tries)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured row: what, ours, peer, figure, target."""
    found = restores(TRIES)
    bad = {name: found[name] for name in BAD}
    what = f"`db.restore` interrupted {TRIES} times at random: {', '.join(bad)}"
    counts = ", ".join(map(str, bad.values()))
    hit = f"{TRIES - found['finished before it']} hit"
    return [(what, f"{counts}; {hit}", "-", str(sum(bad.values())), "0")]


def main() -> int:
    """Print the counts."""
    found = restores(int(sys.argv[1]) if len(sys.argv) > 1 else TRIES)
    for name, count in found.items():
        print(f"{count:5} {name}")
    return 1 if any(found[name] for name in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())

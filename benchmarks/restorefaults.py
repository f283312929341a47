"""Interrupts restores at random moments in random ways: `python3 benchmarks/restorefaults.py`.

The live database must be the old content or the new one after each try, and after the next run
nothing of the interrupted one may be left. The tests do a tenth of it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter

import faults
import server
from faults import Scenario
from measure import INV
from server import Site

TRIES = 100
MEGABYTES = 20
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
        """Return what is wrong, before and after a run that cleans up."""
        wanted = {self._backup} if code == 0 else {self._backup, self._live}
        wrong = Counter({"databases lost or mixed": int(_content(site) not in wanted)})
        argv = (*INV, "db.snapshot", "--name", "next")
        done = subprocess.run(argv, cwd=site.folder, capture_output=True, check=False)
        wrong["next runs that failed"] += done.returncode != 0
        wrong["databases left"] += int(site.psql(_UNFINISHED))
        argv = ("docker", "exec", site.container, "sh", "-c", "ls /tmp | grep -c invstack")
        left = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
        wrong["files left after the next restore"] += int(left or 0) > 1
        return wrong


def _content(site: Site) -> str:
    """Return the content; what the killed run has started may just be ending all sessions."""
    for _ in range(RETRIES):
        with contextlib.suppress(SystemExit):
            return site.psql(_CONTENT)
        time.sleep(0.5)
    return site.psql(_CONTENT)


def restores(tries: int, megabytes: int = MEGABYTES, image: str = faults.IMAGE) -> Counter[str]:
    """Interrupt that many restores on a server of our own."""
    with server.running(image, megabytes) as site:
        content = Content(site)
        words = ("db.restore", "--yes")
        scenario = Scenario(words, "pg_restore", content.check, before=content.before)
        return faults.run(scenario, site, tries)


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

"""`db.backup` against the commands it replaces: `python3 benchmarks/backup.py [MEGABYTES]`.

All of them run in turns on the same server and data. The targets hold for a server with zstd; on
one without, the same table is told without them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import server
from measure import INV, Spent, interleaved, median, run, spread
from server import Site

Row = tuple[str, str, str, str, str]

MEGABYTES = 1000
LARGER = 3
"""The second set of data, in times of the first: what a backup costs besides its dump is fixed."""

ROUNDS = 5
LISTED = 500
WITH_ZSTD, WITHOUT_ZSTD = "postgres:17", "postgres:16-alpine"
DUMP = "docker compose exec -T pg pg_dump -U app"
MIB = 1024**2


def rows(megabytes: int = MEGABYTES) -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    found = []
    for size in (megabytes, LARGER * megabytes) if server.has(WITH_ZSTD) else ():
        with server.running(WITH_ZSTD, size) as site:
            found += _rows(site, "zstd:1", targets=True)
    # Only a build that lacks it: the official image of that tag has zstd.
    if server.has(WITHOUT_ZSTD):
        with server.running(WITHOUT_ZSTD, max(1, megabytes // 4)) as site:
            if not _knows_zstd(site):
                found += _rows(site, "1", targets=False)
    return [*found, _listing()]


def _knows_zstd(site: Site) -> bool:
    words = "pg_dump -U app -Fc -Z zstd:1 --schema-only"
    argv = ("docker", "exec", site.container, *words.split())
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _rows(site: Site, level: str, *, targets: bool) -> list[Row]:
    spent = in_turns(
        {
            "raw": lambda: _shell(site, f"{DUMP} -Fc -Z {level} app > raw.dump"),
            "fast": lambda: _ours(site, "--fast"),
            "full": lambda: _ours(site),
            "plain": lambda: _shell(site, f"{DUMP} app > plain.sql"),
        },
        ROUNDS,
    )
    plain = (site.folder / "plain.sql").stat().st_size
    ours = max(path.stat().st_size for path in (site.folder / "backups").rglob("*.dump"))
    largest = f"{_largest(site):.0f} MiB"
    size, kind = f"{plain // 10**6} MB as plain SQL", f"-Z {level}"

    def row(what: str, a: str, b: str, target: str) -> Row:
        sides = ([each.wall for each in spent[side]] for side in (a, b))
        return _compared(f"{what}, {size}", *sides, target if targets else "-")

    return [
        row(f"`db.backup --fast` vs `{DUMP} -Fc {kind}`", "fast", "raw", "≤ 1.10 ×"),
        row(f"`db.backup --fast` ({kind}) vs `{DUMP} > file`", "fast", "plain", "≤ 0.67 ×"),
        # What the program itself needs: nothing that calls it can be faster.
        row(f"`{DUMP} -Fc {kind}` alone vs `{DUMP} > file`", "raw", "plain", "-"),
        row(f"`db.backup` ({kind}, decoded) vs `--fast`", "full", "fast", "≤ 1.35 ×"),
        (
            f"size of the backup ({kind}) vs the plain file",
            f"{ours / MIB:.1f} MiB",
            f"{plain / MIB:.1f} MiB",
            f"1/{plain / ours:.1f}",
            "≤ 1/6" if targets else "-",
        ),
        (f"largest process of `db.backup`, {size}", largest, "-", largest, "≤ 100 MB"),
    ]


def in_turns(sides: Mapping[str, Callable[[], Spent]], rounds: int) -> dict[str, list[Spent]]:
    """Return the figures of several sides, each round running every one once."""
    turns = [{name: side() for name, side in sides.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in sides}


def _compared(what: str, ours: list[float], theirs: list[float], target: str) -> Row:
    figure = f"{median(ours) / median(theirs):.2f} × (of the fastest {min(ours) / min(theirs):.2f})"
    return what, spread(ours), spread(theirs), figure, target


def _shell(site: Site, line: str) -> Spent:
    return run(("sh", "-c", line), site.folder)


def _ours(site: Site, *flags: str) -> Spent:
    """Time a backup, then remove it: the next one would only find the disk fuller."""
    old = set((site.folder / "backups").rglob("*"))
    spent = run((*INV, "db.backup", *flags), site.folder)
    for path in old:
        if path.is_file() and path.suffix in {".dump", ".json"}:
            path.unlink()
    return spent


def _largest(site: Site) -> float:
    """Return the largest resident set of our program and of those it started, in MiB."""
    child = subprocess.Popen(
        (*INV, "db.backup"),
        cwd=site.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit("db.backup failed")
    return used.ru_maxrss / 1024


def _listing() -> Row:
    """Return how long 500 backups take to list, beside the bare start of the program."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tasks.py").write_text(server.TASKS)
        for number in range(LISTED):
            _manifest(folder / "backups" / "app", number)
        sides = interleaved(
            lambda: run((*INV, "db.backups"), folder), lambda: run((*INV, "--list"), folder), ROUNDS
        )
    ours, theirs = ([each.wall for each in side] for side in sides)
    more = median(ours) - median(theirs)
    what = f"`db.backups` with {LISTED} backups vs `inv --list`"
    return what, spread(ours), spread(theirs), f"{more:+.2f} s", "≤ +0.3 s"


def _manifest(folder: Path, number: int) -> None:
    """Write a backup of one byte; its manifest is as long as a real one."""
    folder.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1.7e9 + number * 3600))
    name = f"app-{when.replace('-', '').replace(':', '')}-pg17.dump"
    (folder / name).write_bytes(b"x")
    facts = {"encoding": "UTF8", "owner": "app", "extensions": {str(n): "1.0" for n in range(20)}}
    manifest = {"schema": 1, "file": name, "created_at": when, "database": "app", "bytes": 1}
    verified = {"level": "L2", "at": when, "seconds": 1.0, "ok": True}
    manifest |= {"sha256": "0" * 64, "source": facts, "verified": verified}
    (folder / f"{name}.json").write_text(json.dumps(manifest, indent=2))


def main() -> int:
    """Print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    if shutil.which("docker") is None:
        raise SystemExit("needs docker")
    for row in rows(megabytes):
        print(" | ".join(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())

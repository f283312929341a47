"""`db.restore`, undo and snapshots against the commands they replace: `restore.py [MEGABYTES]`.

All sides run in turns on the same server and data. The peer of a restore is what an expert types:
copy the archive in, create a database, `pg_restore -j4`; its creation and removal are not timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import backup
import server
from measure import INV, Spent, median, run, spread
from server import Site

Row = tuple[str, str, str, str, str]

MEGABYTES = 1000
ROUNDS = 5
CLIENTS = 10
IMAGE = "postgres:17"
EXEC = "docker compose exec -T pg"
# The server tells the time: a client may wait for the processor before it looks at its clock.
CLIENT = """
while [ ! -e /tmp/stop ]; do
  psql -XqAt -F ' ' -U app -d app \
    -c 'SELECT extract(epoch FROM clock_timestamp()), x FROM which' 2>/dev/null
done
"""


def rows(megabytes: int = MEGABYTES) -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    if not server.has(IMAGE):
        return []
    with server.running(IMAGE, megabytes) as site:
        site.psql("CREATE TABLE which AS SELECT 'old' AS x")
        (site.folder / "raw.dump").write_bytes(_output(site, "pg_dump -U app -Fc -Z zstd:1 app"))
        (site.folder / "plain.sql").write_bytes(_output(site, "pg_dump -U app app"))
        run((*INV, "db.backup", "--fast"), site.folder)
        size = f"{(site.folder / 'plain.sql').stat().st_size // 10**6} MB as plain SQL"
        return [*_restores(site, size), *_snapshots(site, size), _downtime(site, size)]


def _output(site: Site, words: str) -> bytes:
    argv = ("docker", "exec", site.container, *words.split())
    return subprocess.run(argv, capture_output=True, check=True).stdout


def _restores(site: Site, size: str) -> list[Row]:
    undone: list[float] = []

    def ours() -> Spent:
        spent = run((*INV, "db.restore", "--yes"), site.folder)
        undone.append(_seconds(site, "db.restore", "--undo", "--yes"))
        return spent

    sides = {"raw": lambda: _raw(site), "ours": ours, "plain": lambda: _plain(site)}
    spent = {
        name: [each.wall for each in turns]
        for name, turns in backup.in_turns(sides, ROUNDS).items()
    }
    mine, raw, plain = spent["ours"], spent["raw"], spent["plain"]
    over = median(mine) - 1.10 * median(raw)
    figure = f"{median(mine) / median(raw):.2f} × ({over:+.2f} s over 1.10 ×)"
    return [
        (
            f"`db.restore` vs `docker cp`, `pg_restore -j4`, {size}",
            spread(mine),
            spread(raw),
            figure,
            "≤ 1.10 × + 1 s",
        ),
        (
            f"`db.restore` vs `{EXEC} psql < file`, {size}",
            spread(mine),
            spread(plain),
            f"{median(mine) / median(plain):.2f} ×",
            "≤ 0.80 ×",
        ),
        (
            f"`db.restore --undo` without the start of Python, {size}",
            spread(undone),
            "-",
            f"{median(undone):.2f} s",
            "≤ 1 s",
        ),
    ]


def _raw(site: Site) -> Spent:
    site.psql("CREATE DATABASE peer TEMPLATE template0", "postgres")
    line = (
        f"docker cp -q raw.dump {site.container}:/tmp/raw.dump && "
        f"{EXEC} pg_restore -U app -j4 --exit-on-error -d peer /tmp/raw.dump"
    )
    spent = run(("sh", "-c", line), site.folder)
    site.psql("DROP DATABASE peer", "postgres")
    return spent


def _plain(site: Site) -> Spent:
    site.psql("CREATE DATABASE peer TEMPLATE template0", "postgres")
    spent = run(("sh", "-c", f"{EXEC} psql -q -U app peer < plain.sql >plain.out"), site.folder)
    site.psql("DROP DATABASE peer", "postgres")
    return spent


def _seconds(site: Site, *words: str) -> float:
    """Run a task that tells its own time, which leaves out the start of Python."""
    argv = (*INV, *words, "--json")
    done = subprocess.run(argv, cwd=site.folder, capture_output=True, check=True)
    return float(json.loads(done.stdout)["seconds"])


def _snapshots(site: Site, size: str) -> list[Row]:
    sides = {
        "snapshot": lambda: run((*INV, "db.snapshot"), site.folder),
        "backup": lambda: run((*INV, "db.backup", "--fast"), site.folder),
        "restore": lambda: run((*INV, "db.restore", "--yes"), site.folder),
        "rewind": lambda: run((*INV, "db.rewind", "--yes"), site.folder),
    }
    turns = backup.in_turns(sides, ROUNDS)
    spent = {name: [each.wall for each in found] for name, found in turns.items()}
    both = [one + two for one, two in zip(spent["backup"], spent["restore"], strict=True)]
    return [
        (
            f"`db.{name}` vs `db.backup --fast` and `db.restore`, {size}",
            spread(spent[name]),
            spread(both),
            f"{median(spent[name]) / median(both):.2f} ×",
            "≤ 0.35 ×",
        )
        for name in ("snapshot", "rewind")
    ]


def _downtime(site: Site, size: str) -> Row:
    found = []
    for _ in range(ROUNDS):
        site.psql("UPDATE which SET x = 'new'")
        found.append(_gap(site))
    what = f"time without a connection while `db.restore` swaps, {CLIENTS} clients, {size}"
    return what, spread(found), "-", f"{median(found):.2f} s", "≤ 0.5 s"


def _gap(site: Site) -> float:
    """Return how long no client got an answer, in seconds; a mixture ends the benchmark."""
    argv = ("docker", "exec", site.container, "bash", "-c", CLIENT)
    subprocess.run(("docker", "exec", site.container, "rm", "-f", "/tmp/stop"), check=True)  # noqa: S108
    said: list[str] = []

    def client() -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        said.extend(done.stdout.splitlines())

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    run((*INV, "db.restore", "--yes"), site.folder)
    time.sleep(0.5)
    subprocess.run(("docker", "exec", site.container, "touch", "/tmp/stop"), check=True)  # noqa: S108
    for each in clients:
        each.join()
    return _between(said)


def _between(said: Sequence[str]) -> float:
    answers = sorted((float(at), what) for at, what in (line.split() for line in said))
    before = max(at for at, what in answers if what == "new")
    after = min(at for at, what in answers if what == "old")
    if after < before:
        raise SystemExit("clients saw the old and the new content in turns")
    return after - before


def main() -> int:
    """Print the table."""
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES):
        print(" | ".join(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures every figure beside its peer, prints the table and writes RESULTS.md."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import envfiles
import killed
import listing
import migrate
import startup

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


def main() -> int:
    """Run all of it."""
    measured = (listing, startup, migrate, envfiles, killed)
    rows = [row for each in measured for row in each.rows()]
    text = _page(rows)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _page(rows: list[tuple[str, str, str, str, str]]) -> str:
    versions = f"Python {platform.python_version()}, Docker {_docker()}, {os.cpu_count()} cores"
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {versions}. Written by `inv bench`: both sides run in",
        "turns on the same machine; median (min-max).",
        "",
        "| what | ours | peer | figure | target |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _docker() -> str:
    argv = ("docker", "version", "--format", "{{.Server.Version}}")
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

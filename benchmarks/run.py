"""Measures every figure beside its peer and writes RESULTS.md: all parts, or those named.

python benchmarks/run.py                 everything
python benchmarks/run.py backup images   these again; the others' sections stay
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
PARTS = {
    "listing": "Invoke with all collections",
    "completing": "Completion",
    "startup": "Stack",
    "envfiles": "Env files",
    "growth": "Env files by their keys",
    "generated": "Generated secrets",
    "killed": "env.init interrupted",
    "migrate": "Migrations",
    "backup": "Backups",
    "faults": "Backups interrupted",
    "restore": "Restore, undo, snapshot",
    "restorefaults": "Restores interrupted",
    "images": "Images",
    "embedded": "Without Docker",
    "embeddedkills": "Without Docker, killed",
}
HEAD = """# Measured

Written by `inv bench`: both sides run in turns on the same machine; median (min-max).
"""


def main() -> int:
    """Measure the named parts, or all."""
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"no such part: {unknown[0]}; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    sections = _written()
    for name in chosen:
        rows = importlib.import_module(name).rows()
        sections[name] = _section(name, rows)
        print(sections[name], flush=True)
        # After each: hours of measuring are not lost with the last part.
        page = [HEAD, *(sections[name] for name in PARTS if name in sections)]
        RESULTS.write_text("\n".join(page), encoding="utf-8")
    return 0


def _written() -> dict[str, str]:
    """Return the sections of the page by part."""
    titles = {title: name for name, title in PARTS.items()}
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    found = re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", text, flags=re.MULTILINE)
    return {
        titles[title]: f"## {title}\n{body.rstrip()}\n" for title, body in found if title in titles
    }


def _section(name: str, rows: list[tuple[str, str, str, str, str]]) -> str:
    versions = f"Python {platform.python_version()}, Docker {_docker()}, {os.cpu_count()} cores"
    lines = [
        f"## {PARTS[name]}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {versions}",
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

"""Kills `env.init` at random moments and looks at what it left: `python3 benchmarks/killed.py`.

The tests do a tenth of it.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

TRIES = 200
LATEST_S = 0.15
"""Long enough for a few projects."""

KEYS = 60
TEMPLATE = "".join(
    f"# Number {number}.\n# @generate=hex(32)\nKEY_{number}=\n" for number in range(KEYS)
)
LINE = re.compile(r"(?:# Number \d+\.|# @generate=hex\(32\)|KEY_\d+=[0-9a-f]{64}|MINE=kept)\n")

# Makes one project after the other in the folder it is given, until it is killed.
PROGRAM = """
import itertools, sys
from pathlib import Path
from invoke_stack.environment import needs
from invoke_stack.command import Completed
from invoke_stack.project import Project
from invoke_stack.scaffold import env
from invoke_stack.settings import load

class Nothing:
    dry = False
    def capture(self, command, *, timeout_s=None, stdin=None):
        return Completed(command, 1)

def ignore(*words):
    pass

root, template = Path(sys.argv[1]), sys.stdin.read()
def init(folder):
    world = env.World(lambda project, needs: ())
    project = Project(folder, load([]), Nothing(), {})
    env.init(project, env.Request(), ignore, ignore, world)

if len(sys.argv) > 2:
    init(Path(sys.argv[2]))
    sys.exit()
for number in itertools.count():
    if number == 2:  # everything is imported by now
        print("ready", flush=True)
    folder = root / str(number)
    (folder / "api").mkdir(parents=True)
    (folder / ".env.example").write_text(template)
    (folder / "api" / ".env.example").write_text(template)
    if number % 2:
        (folder / ".env").write_text("MINE=kept\\n")
    init(folder)
"""


def kill_one(root: Path, wait_s: float) -> None:
    """Start making projects in a folder and kill that after a while."""
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(TEMPLATE.encode())
    child.stdin.close()
    child.stdout.readline()
    time.sleep(wait_s)
    child.kill()
    child.wait()
    child.stdout.close()


def env_files(root: Path) -> list[Path]:
    """Return the env files that were written."""
    return [path for path in root.rglob(".env") if path.is_file()]


def torn(path: Path) -> bool:
    """Tell whether an env file is anything but untouched or complete."""
    text = path.read_text()
    if text == "MINE=kept\n":
        return False
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if line.strip()]
    whole = all(LINE.fullmatch(line) for line in kept)
    return not whole or sum(line.startswith("KEY_") for line in lines) != KEYS


def repaired(folder: Path) -> bool:
    """Run once more on the project that was killed; tell whether all is well then."""
    argv = [sys.executable, "-c", PROGRAM, str(folder.parent), str(folder)]
    subprocess.run(argv, input=TEMPLATE, text=True, check=True)
    secrets = [_values(path) for path in env_files(folder)]
    left = [path for path in folder.rglob("*.partial") if path.parent.name != ".invoke-stack"]
    same = all(each == secrets[0] for each in secrets)
    return not left and same and not any(torn(path) for path in env_files(folder))


def _values(path: Path) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {key: value for key, _, value in pairs if key.startswith("KEY_")}


def run(tries: int, root: Path) -> dict[str, int]:
    """Kill that many runs; count what they left."""
    found = {"tries": tries, "files": 0, "torn": 0, "partial": 0, "unrepaired": 0}
    for number in range(tries):
        folder = root / f"try{number}"
        folder.mkdir()
        kill_one(folder, random.uniform(0, LATEST_S))  # noqa: S311 - not for cryptography
        written = env_files(folder)
        found["files"] += len(written)
        found["torn"] += sum(torn(path) for path in written)
        found["partial"] += len(list(folder.rglob("*.partial")))
        projects = sorted(folder.iterdir(), key=lambda path: int(path.name))
        if projects and (projects[-1] / "api" / ".env.example").exists():
            last = projects[-1] / "api" / ".env.example"
            if last.read_text() == TEMPLATE:
                found["unrepaired"] += not repaired(projects[-1])
    return found


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured row: what, ours, peer, figure, target."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(TRIES, Path(folder))
    what = f"`env.init` killed at {found['tries']} random moments: files torn, left unrepaired"
    ours = f"{found['torn']}, {found['unrepaired']} of {found['files']}"
    return [(what, ours, "-", str(found["torn"] + found["unrepaired"]), "0")]


def main() -> int:
    """Print the counts."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(TRIES, Path(folder))
    print(", ".join(f"{count} {name}" for name, count in found.items()))
    return 1 if found["torn"] or found["unrepaired"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""The README's try-out with a Docker Engine; without one `host/empty-root` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TRY = Path(__file__).parents[2] / "examples" / "try.py"


def listed(docker: Callable[..., str]) -> set[str]:
    containers = docker("ps", "--all", "--format", "{{.Names}}").splitlines()
    volumes = docker("volume", "ls", "--format", "{{.Name}}").splitlines()
    return {each for each in (*containers, *volumes) if each.startswith("try-")}


def test_the_try_out_tells_its_story_and_leaves_nothing(
    docker: Callable[..., str], tmp_path: Path
) -> None:
    before = listed(docker)
    programs = tmp_path / "bin"  # without npm, whose downloads would take most of the time
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for each in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if each.name not in {"node", "npm", "npx"} and not (programs / each.name).exists():
                (programs / each.name).symlink_to(each)

    done = subprocess.run(
        [sys.executable, str(TRY)],
        env={**os.environ, "PATH": str(programs), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    after_the_accident = done.stdout.partition("# The accident")[2]
    assert "It works." in after_the_accident.partition("# Nothing is lost")[2]
    assert "postgres major differs: production 17, local 16" in done.stdout
    assert listed(docker) <= before
    assert list(tmp_path.iterdir()) == [programs]

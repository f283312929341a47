"""Where no engine answers, this folder says so: as skips, or as failures where one is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("wanted", "code", "outcome"), [("auto", 0, "SKIPPED"), ("require", 1, "ERROR")]
)
def test_without_an_engine_each_test_says_how_to_get_one(
    wanted: str, code: int, outcome: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-ra"),
            *(str(HERE / "stack" / "test_status.py"), f"--basetemp={tmp_path / 'inner'}"),
        ],
        cwd=HERE.parents[1],
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent.sock", "ENGINE_TESTS": wanted},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert outcome in done.stdout
    assert "tests/engine/host/engine-up" in done.stdout
    assert " passed" not in done.stdout

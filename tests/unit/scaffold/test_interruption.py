from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

KILLED = Path(__file__).resolve().parents[3] / "benchmarks" / "killed.py"
TRIES = 20


@pytest.fixture
def killed() -> Any:
    spec = importlib.util.spec_from_file_location("killed", KILLED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_run_killed_at_any_moment_leaves_no_half_file(killed: Any, tmp_path: Path) -> None:
    found = killed.run(TRIES, tmp_path)

    assert found["files"] >= TRIES
    assert (found["torn"], found["unrepaired"]) == (0, 0)


def test_what_counts_as_torn_would_be_seen(killed: Any, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    whole = killed.TEMPLATE.replace("=\n", f"={'a' * 64}\n")
    texts = {whole: False, "MINE=kept\n": False, whole[:-1]: True, whole[:500]: True, "": True}

    for text, expected in texts.items():
        path.write_text(text)
        assert killed.torn(path) is expected

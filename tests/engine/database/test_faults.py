"""A tenth of the fault run: backups that are interrupted at random moments in random ways."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"
TRIES = 20


@pytest.fixture(scope="module")
def faults() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("faults")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def site(faults: Any) -> Iterator[Any]:
    with faults.server.running(faults.IMAGE, faults.MEGABYTES) as site:
        yield site


def test_an_interrupted_backup_leaves_nothing_that_looks_like_one(faults: Any, site: Any) -> None:
    found = faults.run(faults.BACKUP, site, TRIES)

    assert {name: found[name] for name in faults.BAD if found[name]} == {}
    assert found["finished before it"] <= TRIES // 2, found


def test_what_counts_as_unfinished_would_be_seen(faults: Any, site: Any) -> None:
    folder = site.folder / "backups" / "app"
    folder.mkdir(parents=True, exist_ok=True)
    cut, lone = folder / "cut.dump", folder / "lone.dump.json"
    cut.write_bytes(b"PGDMP")
    lone.write_text("{}")

    assert faults.checked(site, 0)["unfinished files that look finished"] == 2
    lone.unlink()
    assert faults.checked(site, 0)["successes reported for nothing"] == 1
    assert faults.checked(site, 1).total() == 0

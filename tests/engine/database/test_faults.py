"""A tenth of the fault runs: backups and restores interrupted at random moments in random ways."""

import importlib
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"
TRIES = 20
RESTORES = 10


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[None]:
    sys.path.insert(0, str(FOLDER))
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def faults(benchmarks: None) -> Any:
    return importlib.import_module("faults")


@pytest.fixture(scope="module")
def restores(faults: Any) -> Any:
    return importlib.import_module("restorefaults")


@pytest.fixture(scope="module")
def site(faults: Any) -> Iterator[Any]:
    with faults.server.running(faults.IMAGE, faults.MEGABYTES) as site:
        yield site


@pytest.fixture
def seed() -> int:
    """Moments that differ from run to run; what a failure shows repeats them."""
    number = secrets.randbelow(10_000)
    print(f"seed {number}")
    return number


def test_an_interrupted_backup_leaves_nothing_that_looks_like_one(
    faults: Any, site: Any, seed: int
) -> None:
    found = faults.run(faults.BACKUP, site, TRIES, seed)

    assert {name: found[name] for name in faults.BAD if found[name]} == {}
    assert found["finished before it"] <= TRIES // 2, found


def test_an_interrupted_restore_leaves_one_content_or_the_other(
    faults: Any, restores: Any, seed: int
) -> None:
    with restores.live(restores.MEGABYTES // 2) as site:
        scenario = restores.scenario(site)
        found = faults.run(scenario, site, RESTORES, seed)
        site.psql("DELETE FROM documents WHERE id % 2 = 0")
        mixed = scenario.check(site, 1)

    assert {name: found[name] for name in restores.BAD if found[name]} == {}
    assert found["finished before it"] <= RESTORES // 2, found
    assert mixed["databases lost or mixed"] == 1  # what must never be there would be seen


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

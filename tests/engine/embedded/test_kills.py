"""A tenth of the campaign of benchmarks/embeddedkills.py, another one each time."""

from __future__ import annotations

import random
from pathlib import Path

import embeddedkills


def test_ten_random_kills_lose_nothing_and_leave_nothing(tmp_path: Path) -> None:
    seed = random.randrange(10**6)  # noqa: S311 - not for cryptography

    tally = embeddedkills.campaign(tmp_path, embeddedkills.KILLS // 10, seed)

    assert (seed, tally.lost, tally.failed, tally.orphans) == (seed, [], [], [])
    assert tally.rows > 100

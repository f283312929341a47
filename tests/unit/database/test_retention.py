"""Which backups are kept. A fixed clock, no files."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import retention
from invoke_stack.database.catalog import GONE, Entry
from invoke_stack.database.manifest import Manifest
from invoke_stack.settings import KeepSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEEP = KeepSettings()
OK = {"level": "L2", "ok": True}


def entry(when: datetime, name: str = "", problem: str = "", **changes: Any) -> Entry:
    stamp = when.isoformat()
    values = {"database": "app", "bytes": 1, "sha256": "", "verified": OK, **changes}
    manifest = Manifest(file="", created_at=stamp, **values)
    return Entry(Path(name or f"{stamp}.dump"), manifest, 1, when, problem)


def foreign(when: datetime) -> Entry:
    return Entry(Path("theirs.dump"), None, 1, when, "no manifest: unverified")


def kept(found: Iterable[Entry], keep: KeepSettings = KEEP) -> set[str]:
    decisions = retention.decide(tuple(found), keep, NOW)
    return {str(each.entry.file) for each in decisions if each.keep}


def why(found: Iterable[Entry], keep: KeepSettings = KEEP) -> list[str]:
    return [each.why for each in retention.decide(tuple(found), keep, NOW)]


def history() -> list[Entry]:
    """400 backups over 14 months: every 25 hours and 33 minutes, so that no period is regular."""
    return [entry(NOW - number * timedelta(hours=25, minutes=33)) for number in range(400)]


def expected(times: list[datetime]) -> set[datetime]:
    """The rules, said in another way: walk back and take the first of every new period."""
    chosen = set(sorted(times, reverse=True)[: KEEP.last])
    for most, form in ((KEEP.daily, "%Y-%m-%d"), (KEEP.weekly, "%G-%V"), (KEEP.monthly, "%Y-%m")):
        periods = sorted({time.strftime(form) for time in times}, reverse=True)[:most]
        chosen |= {max(t for t in times if t.strftime(form) == period) for period in periods}
    return chosen


def test_of_400_backups_exactly_those_of_the_rules_stay() -> None:  # A40
    found = history()
    assert found[-1].created < NOW - timedelta(days=420)

    stay = kept(found)

    wanted = {str(entry(time).file) for time in expected([each.created for each in found])}
    assert stay == wanted
    assert 10 < len(stay) < 10 + 7 + 4 + 6


def test_the_order_on_disk_changes_nothing() -> None:
    found = history()
    shuffled = found[::2] + found[1::2]

    assert kept(shuffled) == kept(found)


def test_weeks_are_iso_weeks() -> None:
    days = (datetime(2026, 1, 4, tzinfo=UTC), datetime(2025, 12, 29, tzinfo=UTC))
    found = [entry(each) for each in days]

    assert kept(found, KeepSettings(0, 0, 4, 0)) == {str(found[0].file)}


def test_what_failed_its_checks_never_takes_the_place_of_a_good_one() -> None:  # A40
    good = history()
    bad = [
        entry(NOW + timedelta(minutes=number), f"bad{number}", verified={"level": "", "ok": False})
        for number in range(40)
    ]
    cut = [
        entry(NOW + timedelta(hours=number), f"cut{number}", "has 2 bytes") for number in range(9)
    ]

    assert kept(good) <= kept([*bad, *cut, *good])


def test_a_damaged_one_stays_a_week_for_a_look() -> None:
    young, old = NOW - timedelta(days=6), NOW - timedelta(days=8)
    damaged = [entry(young, "young", "has 2 bytes"), entry(old, "old", "has 2 bytes")]

    assert kept([entry(NOW, "good"), *damaged]) == {"good", "young"}
    assert why(damaged) == ["damaged: has 2 bytes"] * 2


def test_each_target_counts_for_itself() -> None:  # A40
    ours = history()
    test = [
        entry(NOW + timedelta(minutes=number), f"t{number}", database="app-test")
        for number in range(30)
    ]
    clone = [
        entry(NOW + timedelta(minutes=number), f"c{number}", target={"project": "other"})
        for number in range(30)
    ]

    assert kept(ours) == kept([*ours, *test, *clone]) - kept(test) - kept(clone)


def test_a_new_volume_is_the_same_target() -> None:
    found = [
        entry(NOW - timedelta(minutes=n), f"{n}", target={"system_identifier": str(n)})
        for n in range(20)
    ]

    assert len(kept(found)) == KEEP.last


def test_pinned_and_foreign_files_and_exports_stay() -> None:  # A40
    old = NOW - timedelta(days=3000)
    found = [
        *history(),
        entry(old, "pin", pinned=True),
        foreign(old),
        entry(old, "script.sql", format="plain"),
        entry(old, "gone", GONE),
    ]

    assert {"pin", "theirs.dump", "script.sql", "gone"} <= kept(found)
    assert why(found)[-4:] == [
        "pinned",
        "not ours: no manifest",
        "an export",
        "orphan: only the manifest is left",
    ]


def test_safety_backups_have_their_own_rule() -> None:
    week = [entry(NOW - timedelta(days=n), f"s{n}", kind="safety") for n in range(12)]
    years = [entry(NOW - timedelta(days=400 * n), f"y{n}", kind="safety") for n in range(1, 12)]
    ours = history()

    assert kept(week) == {f"s{n}" for n in range(8)}
    assert kept(years) == {f"y{n}" for n in range(1, 6)}
    assert kept([*ours, *week]) == kept(ours) | kept(week)


@pytest.mark.parametrize("level", ["L1", "L2"])
def test_the_newest_good_one_is_never_deleted(level: str) -> None:
    found = [
        entry(NOW - timedelta(days=n), f"{n}", verified={**OK, "level": level}) for n in (1, 2)
    ]

    assert kept(found, KeepSettings(0, 0, 0, 0)) == {"1"}


def test_the_newest_one_that_was_restored_stays_too() -> None:
    proven = {**OK, "level": "L3"}
    days = {1: OK, 2: proven, 3: proven}
    found = [entry(NOW - timedelta(days=n), f"{n}", verified=v) for n, v in days.items()]

    assert kept(found, KeepSettings(0, 0, 0, 0)) == {"1", "2"}

"""Which backups are worth their room: the newest of each period. Pure; nothing is deleted here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from invoke_stack.database.catalog import GONE, Entry
from invoke_stack.settings import KeepSettings

SAFETY_LAST = 5
SAFETY_DAYS = 7
DAMAGED_DAYS = 7
"""How long one that failed a check stays, so that somebody can look at it."""

Period = Callable[[datetime], tuple[int, ...]]

_PERIODS: tuple[tuple[str, Period], ...] = (
    ("daily", lambda when: (when.year, when.month, when.day)),
    ("weekly", lambda when: when.isocalendar()[:2]),
    ("monthly", lambda when: (when.year, when.month)),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one backup, and why: the rules that keep it, or the one against it."""

    entry: Entry
    keep: bool
    why: str


def decide(
    found: Sequence[Entry], keep: KeepSettings, now: datetime | None = None
) -> tuple[Decision, ...]:
    """Return a decision for each backup, in their order.

    Times are UTC, periods those that have a backup: a fortnight without any costs nothing. Only
    backups that passed their checks count, each target for itself; whatever has no manifest of
    ours is somebody else's and stays.
    """
    clock = now or datetime.now(UTC)
    newest_first = sorted(found, key=lambda each: (each.created, each.file.name), reverse=True)
    whys: dict[int, list[str]] = {}
    for group in _groups(newest_first):
        for entry, why in _kept(group, keep, clock):
            whys.setdefault(id(entry), []).append(why)
    return tuple(_decision(each, whys.get(id(each), []), clock) for each in found)


def is_good(entry: Entry) -> bool:
    """Return whether it may stand for a period: an archive of ours that passed its checks."""
    manifest = entry.manifest
    good = manifest is not None and manifest.archive_form and bool(manifest.verified.get("ok"))
    return good and not entry.problem


def fingerprint(entry: Entry) -> tuple[str, ...]:
    """Return what backups of one target have in common; a new volume does not change it."""
    if entry.manifest is None:
        return ()
    place = {k: v for k, v in entry.manifest.target.items() if k != "system_identifier"}
    parts = [f"{key}={value}" for key, value in sorted(place.items())]
    return (entry.manifest.provider, entry.manifest.database, *parts)


def _groups(newest_first: Iterable[Entry]) -> Iterable[list[Entry]]:
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for each in newest_first:
        if is_good(each):
            groups.setdefault(fingerprint(each), []).append(each)
    return groups.values()


def _kept(group: list[Entry], keep: KeepSettings, now: datetime) -> Iterator[tuple[Entry, str]]:
    """Yield what one target's good backups are kept for, the newest first."""
    yield group[0], "newest"
    proven = [each for each in group if _level(each) == "L3"]
    yield from ((each, "newest that was restored") for each in proven[:1])
    safety = [each for each in group if _kind(each) == "safety"]
    yield from ((each, f"safety {number}") for number, each in _numbered(safety, SAFETY_LAST))
    young = now - timedelta(days=SAFETY_DAYS)
    yield from ((each, f"safety of {SAFETY_DAYS} days") for each in safety if each.created >= young)
    ordinary = [each for each in group if _kind(each) != "safety"]
    yield from ((each, f"last {number}") for number, each in _numbered(ordinary, keep.last))
    for name, period in _PERIODS:
        first: dict[tuple[int, ...], Entry] = {}
        for each in ordinary:
            first.setdefault(period(each.created), each)
        chosen = list(first.values())
        many = int(getattr(keep, name))
        yield from ((each, f"{name} {number}") for number, each in _numbered(chosen, many))


def _numbered(entries: Sequence[Entry], most: int) -> Iterator[tuple[int, Entry]]:
    return enumerate(entries[:most], 1)


def _decision(entry: Entry, whys: list[str], now: datetime) -> Decision:
    manifest = entry.manifest
    if manifest is None:
        return Decision(entry, keep=True, why="not ours: no manifest")
    reasons = [*(["pinned"] if manifest.pinned else []), *whys]
    reasons += ["orphan: only the manifest is left"] if entry.problem == GONE else []
    reasons += [] if manifest.archive_form else ["an export"]
    if reasons:
        return Decision(entry, keep=True, why=", ".join(reasons))
    if not is_good(entry):
        young = entry.created >= now - timedelta(days=DAMAGED_DAYS)
        reason = entry.problem or "it did not pass its checks"
        return Decision(entry, keep=young, why=f"damaged: {reason}")
    return Decision(entry, keep=False, why="a newer one stands for each of its periods")


def _level(entry: Entry) -> str:
    return str(entry.manifest.verified.get("level", "")) if entry.manifest else ""


def _kind(entry: Entry) -> str:
    return entry.manifest.kind if entry.manifest else ""

"""PAR901-903: what the platform itself would object to."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.findings.model import Severity
from invoke_stack.parity.declaration import Complaint
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule


def _of(facts: Facts, *kinds: str) -> Iterator[Complaint]:
    return (each for each in facts.production.complaints if each.kind in kinds)


@rule("PAR901", "Key unknown or without effect", "error", "high")
def keys(facts: Facts) -> Iterator[Outcome]:
    """Tell the keys that the platform refuses, ignores or misses."""
    for each in _of(facts, "unknown", "effect", "missing"):
        level: Severity | None = None if each.certain else "warning"
        yield Found(each.subject, each.message, places([each.src]), each.fix, level)
    if not any(_of(facts, "unknown", "effect", "missing")):
        yield Passed("keys", "production knows every key")


@rule("PAR902", "Deprecated spelling", "info", "high")
def deprecated(facts: Facts) -> Iterator[Outcome]:
    """Tell the keys that have a newer name."""
    for each in _of(facts, "deprecated"):
        fix = each.fix
        yield Found(each.subject, each.message, places([each.src]), fix, group="old spellings")


@rule("PAR903", "Reference to nothing", "error", "high")
def dangling(facts: Facts) -> Iterator[Outcome]:
    """Tell the references whose service, database or group is not declared."""
    for each in _of(facts, "dangling"):
        level: Severity | None = None if each.certain else "warning"
        yield Found(each.subject, each.message, places([each.src]), each.fix, level)
    if not any(_of(facts, "dangling")):
        yield Passed("references", "every reference names something declared")

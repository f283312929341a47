"""A report for people: grouped by severity, aligned, without colour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from invoke_stack.findings.model import SEVERITIES, Finding, Place, Remark, Report

HEADINGS = {"error": "errors", "warning": "warnings", "info": "info"}
TRUST = {"high": "certain", "medium": "likely", "low": "possible"}
"""The confidences as people read them."""

WIDEST = 28
"""Longest subject that the others are aligned to."""

MOST = 7
"""Places of one finding that are printed; JSON has all of them."""

# Values from foreign files may hold terminal commands; a tab would break the columns.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def write(report: Report, *, passes: bool = False) -> str:
    """Return the report as text; ``passes`` lists what is right too."""
    lines: list[str] = []
    for severity in SEVERITIES:
        group = [each for each in report.findings if each.severity == severity]
        lines += _group(HEADINGS[severity], [(each, unsure(each)) for each in group])
    lines += _group("unknown", [(each, "") for each in report.unknowns])
    lines += _group(
        "suppressed", [(each.finding, f" (accepted: {each.reason})") for each in report.suppressed]
    )
    if passes:
        lines += _group("passed", [(each, "") for each in report.passes])
    return "\n".join([*lines, counts(report)])


def counts(report: Report) -> str:
    """Return the closing line that counts everything."""
    found = Counter(finding.severity for finding in report.findings)
    parts = [f"{found[name]} {name}{_plural(name, found[name])}" for name in SEVERITIES]
    rest = {
        "passed": len(report.passes),
        "unknown": len(report.unknowns),
        "suppressed": len(report.suppressed),
    }
    tail = [f"{number} {name}" for name, number in rest.items() if number]
    return ", ".join(parts) + (f"; {', '.join(tail)}" if tail else "")


def _plural(name: str, number: int) -> str:
    return "" if number == 1 or name == "info" else "s"


def unsure(finding: Finding) -> str:
    """Return what follows a message that may be wrong; "" when it cannot be."""
    return "" if finding.confidence == "high" else f" ({TRUST[finding.confidence]})"


def _group(heading: str, items: Sequence[tuple[Finding | Remark, str]]) -> Iterator[str]:
    if not items:
        return
    rules = max(len(item.rule) for item, _ in items)
    subjects = max(len(s) if len(s := clean(item.subject)) <= WIDEST else 0 for item, _ in items)
    yield heading
    for item, note in items:
        start = f"  {item.rule:<{rules}}  "
        subject = f"{clean(item.subject):<{subjects}}  " if subjects or item.subject else ""
        yield from _hung(start + subject, item.message + note, rules + 6)
        yield from _evidence(item.where, item.fix, rules + 4)
    yield ""


def _evidence(where: Sequence[Place], fix: str, indent: int) -> Iterator[str]:
    places = [(place.side, str(place)) for place in where if str(place)]
    labelled = places if len(places) <= MOST + 1 else places[:MOST]
    labelled += [("", f"and {len(places) - MOST} more places")] if len(places) > MOST + 1 else []
    labelled += [("fix", fix)] if fix else []
    width = max((len(label) for label, _ in labelled), default=0)
    for label, text in labelled:
        start = f"{'':<{indent}}{label:<{width}}  "
        yield from _hung(start, text, len(start))


def _hung(start: str, text: str, indent: int) -> Iterator[str]:
    first, *more = clean(text).split("\n")
    yield (start + first).rstrip()
    for line in more:
        yield f"{'':<{indent}}{line}".rstrip()


def clean(text: str) -> str:
    """Return the text without what would move a terminal's cursor or change its colours."""
    return _CONTROL.sub(" ", text.replace("\r\n", "\n"))

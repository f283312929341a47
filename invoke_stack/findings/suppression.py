"""Findings that a project accepts: with a reason, in place or in its settings.

In place is a comment on the line that the finding names, or above it:

    # parity: ignore[PAR203] -- Redis comes with the queue
    # parity: ignore[PAR203, PAR301] until 2027-01-31 -- Redis comes with the queue
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from invoke_stack.findings.model import Finding, Place, Report, Suppressed
from invoke_stack.settings import AcceptSettings

_COMMENT = re.compile(
    r"(?:^|\s)(?:#|//)\s*(?P<marker>[a-z][a-z-]*):\s*ignore\[(?P<rules>[^\]]*)\]"
    r"(?:\s+until\s+(?P<until>\S+))?(?:\s+--\s*(?P<reason>.*))?\s*$"
)
_SETTINGS = Place("settings")
_COMMENT_ONLY = re.compile(r"\s*(?:#|//|$)")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a project accepts, and why.

    Attributes:
        rules: the rules' IDs, as written.
        reason: in the project's own words; without one nothing is accepted.
        match: a text in the subject, message or file, or a pattern with `*` of all of one; "" for
            every finding of the rules.
        until: ISO date from which the findings count again; "" for never.
        place: where this is written.
        lines: the lines of the place's file that it speaks about; empty for all files.
    """

    rules: tuple[str, ...]
    reason: str
    match: str = ""
    until: str = ""
    place: Place = _SETTINGS
    lines: frozenset[int] = frozenset()

    def covers(self, finding: Finding) -> bool:
        """Tell whether it speaks about this finding, whatever its reason and date."""
        if finding.rule not in self.rules:
            return False
        if self.lines:
            return any(
                each.file == self.place.file and (not each.line or each.line in self.lines)
                for each in finding.where
            )
        return not self.match or _matches(self.match.casefold(), finding)


def _matches(pattern: str, finding: Finding) -> bool:
    texts = (finding.subject, finding.message, *(each.file for each in finding.where))
    names = [each.casefold() for each in texts]
    return any(pattern in name if "*" not in pattern else fnmatchcase(name, pattern)
               for name in names)  # fmt: skip


def comments(text: str, file: str, marker: str) -> Iterator[Acceptance]:
    """Yield the acceptances that the comments of a file make.

    Args:
        text: the file's content.
        file: its path from the project root, as findings name it.
        marker: the checker's word: `parity`, `image`.
    """
    if f"{marker}:" not in text:
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        found = _COMMENT.search(line)
        if found is None or found["marker"] != marker:
            continue
        yield Acceptance(
            rules=tuple(re.findall(r"[^\s,]+", found["rules"])),
            reason=(found["reason"] or "").strip(),
            until=found["until"] or "",
            place=Place("suppression", file, number),
            lines=frozenset(_covered(lines, number)),
        )


def settled(entries: Sequence[AcceptSettings], setting: str) -> Iterator[Acceptance]:
    """Yield the acceptances that a checker's settings make; ``setting`` is their full name."""
    for each in entries:
        place = Place("settings", setting)
        yield Acceptance((each.rule,), each.reason, each.match, each.until, place)


def _covered(lines: Sequence[str], number: int) -> set[int]:
    """Return the comment's own line and, below a line of comment alone, the next statement."""
    covered = {number}
    while number <= len(lines) and _COMMENT_ONLY.match(lines[number - 1]):
        number += 1
        covered.add(number)
    return covered


def applied(
    report: Report,
    acceptances: Sequence[Acceptance],
    *,
    rule: str,
    today: date,
    checked: Collection[str] | None = None,
) -> Report:
    """Return the report with the accepted findings among its suppressed ones.

    An acceptance without a reason, with a date that is past or none, or that accepts nothing, is
    a finding itself.

    Args:
        report: what the checker found.
        acceptances: what the project accepts.
        rule: the ID of those findings (`PAR004`).
        today: the date that counts.
        checked: the rules that ran; what accepts others is not called unused. None: all.
    """
    used: set[Acceptance] = set()
    kept: list[Finding] = []
    suppressed = list(report.suppressed)
    for finding in report.findings:
        covering = [each for each in acceptances if each.covers(finding)]
        used.update(covering)
        good = next((each for each in covering if not _fault(each, today)), None)
        if good is None:
            kept.append(finding)
        else:
            suppressed.append(Suppressed(finding, good.reason, good.place, good.until))
    unsure = {each.rule for each in report.unknowns}
    faults = []
    for each in dict.fromkeys(acceptances):
        ran = checked is None or set(each.rules) <= set(checked)
        idle = ran and each not in used and not unsure.intersection(each.rules)
        if message := _fault(each, today) or ("accepts nothing any more" if idle else ""):
            faults.append(_finding(rule, each, message))
    return replace(report, findings=(*kept, *faults), suppressed=tuple(suppressed))


def _fault(item: Acceptance, today: date) -> str:
    if not item.reason:
        return "has no reason, so it accepts nothing"
    if item.until:
        try:
            until = date.fromisoformat(item.until)
        except ValueError:
            return f"its date is not one: {item.until}"
        if until <= today:
            return f"expired on {item.until}"
    return ""


def _finding(rule: str, item: Acceptance, message: str) -> Finding:
    names = ", ".join(item.rules) or "no rule"
    fix = {
        "has no reason, so it accepts nothing": f"ignore[{names}] -- why this is fine",
        "accepts nothing any more": "delete it",
    }.get(message, "delete it, or give it a later date (until YYYY-MM-DD)")
    subject = f"{names} {item.match}".strip()
    return Finding(
        rule, "warning", "high", subject, f"the suppression {message}", fix, (item.place,)
    )

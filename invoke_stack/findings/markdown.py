"""A report as Markdown: a job summary or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from invoke_stack.findings.model import Finding, Report
from invoke_stack.findings.text import counts, unsure

# Everything that could start a construct inside a table cell; the cell's own bar included.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&!#$@:])")
_BREAK = re.compile(r"\r\n|[\r\n]")


def write(report: Report) -> str:
    """Return a table of the findings, what could not be checked, and the counting line."""
    blocks = []
    if report.findings:
        head = ("Severity", "Rule", "Subject", "Finding", "Where", "Fix")
        blocks.append(_table(head, [_row(each) for each in report.findings]))
    if report.unknowns:
        rows = [(each.rule, each.subject, each.message, each.fix) for each in report.unknowns]
        blocks.append(_table(("Unknown", "Subject", "What is missing", "Fix"), rows))
    if report.suppressed:
        accepted = [
            (each.finding.rule, each.finding.subject, each.finding.message, each.reason)
            for each in report.suppressed
        ]
        blocks.append(_table(("Suppressed", "Subject", "Finding", "Reason"), accepted))
    return "\n\n".join([*blocks, f"**{counts(report)}**"])


def _row(finding: Finding) -> tuple[str, ...]:
    places = [f"{place.side} {place}".strip() for place in finding.where]
    message = finding.message + unsure(finding)
    where = "\n".join(places)
    return (finding.severity, finding.rule, finding.subject, message, where, finding.fix)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Return the text as a table cell shows it, word for word."""
    return _BREAK.sub("<br>", _SPECIAL.sub(r"\\\1", text.strip()))

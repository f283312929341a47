"""The doctor's lines as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.doctor.rules import area, place
from invoke_stack.errors import ExitCode
from invoke_stack.findings import document
from invoke_stack.findings.model import SEVERITIES, Finding, Remark, Report
from invoke_stack.findings.text import clean, counts
from invoke_stack.tasks._task import Run

MARKS = {"ok": "✓", "info": "·", "unknown": "?", "warning": "⚠", "error": "✗"}


def examined(run: Run, report: Report) -> None:
    """Print what the doctor found; with an error among it, end with exit code 3."""
    from invoke.exceptions import Exit

    if run.json:
        run.console.document(document.document(report))
    else:
        run.console.result("\n".join([*lines(report), "", counts(report)]))
    if report.at_or_above("error"):
        raise Exit(code=ExitCode.FINDINGS)


def lines(report: Report) -> Iterator[str]:
    """Yield a line for everything that was looked at, its fix below it, in the rules' order."""
    found: list[tuple[str, Finding | Remark]] = [(each.severity, each) for each in report.findings]
    found += [("ok", each) for each in report.passes]
    found += [("unknown", each) for each in report.unknowns]
    order = ("ok", *reversed(SEVERITIES), "unknown")
    found.sort(key=lambda pair: (place(pair[1].rule), order.index(pair[0])))
    told = {each.fix for each in report.findings}
    width = max((len(area(each.rule)) for _, each in found), default=0)
    for state, each in found:
        name = area(each.rule)
        start = f"{MARKS[state]} {name:<{width}}  "
        subject = f"{each.subject}: " if each.subject and each.subject != name else ""
        yield start + " ".join(clean(subject + each.message).split())
        # What could not be looked at mostly waits for something that is told with its fix.
        if each.fix and state != "ok" and not (state == "unknown" and each.fix in told):
            yield f"{'':<{len(start)}}fix: {' '.join(clean(each.fix).split())}"

"""Results of the parity tasks as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from invoke_stack.errors import ExitCode
from invoke_stack.findings import document, text, writers
from invoke_stack.findings.model import Report
from invoke_stack.findings.text import TRUST
from invoke_stack.parity.acceptance import Accepted
from invoke_stack.parity.check import failing
from invoke_stack.parity.rule import Rule
from invoke_stack.tasks._task import Run


def checked(run: Run, report: Report, *, format: str, limit: str, passes: bool) -> None:  # noqa: A002 - the flag
    """Print a report; with findings from ``limit`` on that are at least likely, exit code 3."""
    from invoke.exceptions import Exit

    counted = failing(report, limit)
    if run.json:
        run.console.document(document.document(report))
    elif format == "text":
        run.console.result(text.write(report, passes=passes))
    else:
        run.console.result(writers.write(report, format))
    if counted:
        raise Exit(code=ExitCode.FINDINGS)


def facts(run: Run, found: Mapping[str, Any]) -> None:
    """Print the facts: they are JSON with and without the flag."""
    if run.json:
        run.console.document(found)
    else:
        run.console.result(json.dumps(found, ensure_ascii=False, indent=2))


def page(run: Run, rule: Rule) -> None:
    """Print a rule's page."""
    if run.json:
        run.console.document({**_rule(rule), "page": rule.text()})
        return
    run.console.result(f"{rule.text().rstrip()}\n\n{rule.severity}, {TRUST[rule.confidence]}")
    run.console.result(f"accept it: # parity: ignore[{rule.id}] -- why this is fine")


def rules(run: Run, known: Sequence[Rule]) -> None:
    """Print all rules."""
    if run.json:
        run.console.document({"rules": [_rule(each) for each in known]})
        return
    rows = [(each.id, each.severity, TRUST[each.confidence], each.title) for each in known]
    run.console.table(("rule", "severity", "confidence", "title"), rows)


def _rule(rule: Rule) -> dict[str, str]:
    return {
        "rule": rule.id,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "title": rule.title,
    }


def accepted(run: Run, planned: Sequence[Accepted]) -> None:
    """Print the comments that were written, or would be."""
    if run.json:
        rows = [
            {
                "rule": each.finding.rule,
                "subject": each.finding.subject,
                "file": each.place.file,
                "line": each.place.line,
                "comment": each.text,
            }
            for each in planned
        ]
        run.console.document({"accepted": rows})
    done = "would be written" if run.project.dry else "written"
    for each in planned:
        run.console.result(f"{each.place}: {each.text}")
    run.console.note(f"{len(planned)} comment{'' if len(planned) == 1 else 's'} {done}")


def baseline(run: Run, name: str, count: int) -> None:
    """Print what a baseline holds."""
    if run.json:
        run.console.document({"baseline": name, "findings": count})
    done = "would hold" if run.project.dry else "holds"
    run.console.result(f"{name} {done} {count} finding{'' if count == 1 else 's'}")
    run.console.note(f"from now on: inv parity.check --baseline {name}")

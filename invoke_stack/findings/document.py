"""A report as JSON: the shape that other programs rely on."""

from __future__ import annotations

import json
from typing import Any

from invoke_stack.findings.model import Finding, Place, Remark, Report, Suppressed

SCHEMA = 1


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain data, ready for `--json`."""
    return {
        "schema": SCHEMA,
        "findings": [_finding(each) for each in report.findings],
        "passes": [_remark(each) for each in report.passes],
        "unknowns": [_remark(each) for each in report.unknowns],
        "suppressed": [_suppressed(each) for each in report.suppressed],
    }


def write(report: Report) -> str:
    """Return the report as one JSON document."""
    return json.dumps(document(report), ensure_ascii=False, indent=2)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
        "where": [_place(place) for place in finding.where],
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "rule": remark.rule,
        "subject": remark.subject,
        "message": remark.message,
        "fix": remark.fix,
        "where": [_place(place) for place in remark.where],
    }


def _suppressed(item: Suppressed) -> dict[str, Any]:
    return {
        **_finding(item.finding),
        "reason": item.reason,
        "until": item.until or None,
        "place": _place(item.place) if item.place else None,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"side": place.side, "file": place.file or None, "line": place.line or None}

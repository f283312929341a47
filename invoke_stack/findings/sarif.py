"""A report as SARIF 2.1.0, the format of code scanning services."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from invoke_stack.findings.model import Finding, Place, Remark, Report, Suppressed

VERSION = "2.1.0"
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
FINGERPRINT = "ruleSubjectFile/v1"


def document(report: Report) -> dict[str, Any]:
    """Return the report as a SARIF log of one run.

    Suppressed findings are results with their justification; what could not be checked is a
    notification of the tool, since a result would be counted as an alert.
    """
    items: list[tuple[Finding, Suppressed | None]] = [
        *((each, None) for each in report.findings),
        *((each.finding, each) for each in report.suppressed),
    ]
    rules = _rules(report, {finding.rule for finding, _ in items})
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = [_result(finding, accepted, index, seen) for finding, accepted in items]
    run = {
        "tool": {"driver": {"name": "invoke-stack", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(each) for each in report.unknowns],
            }
        ],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def write(report: Report) -> str:
    """Return the report as one SARIF document."""
    return json.dumps(document(report), ensure_ascii=False, indent=2)


def _rules(report: Report, used: set[str]) -> list[dict[str, Any]]:
    titles = {rule.id: rule for rule in report.rules}
    rules = []
    for name in sorted(used):
        title = titles[name].title if name in titles else name
        text = titles[name].help if name in titles else ""
        rules.append(
            {
                "id": name,
                "shortDescription": {"text": title or name},
                "fullDescription": {"text": text or title or name},
                "help": {"text": text or title or name},
            }
        )
    return rules


def _result(
    finding: Finding, accepted: Suppressed | None, index: Mapping[str, int], seen: Counter[str]
) -> dict[str, Any]:
    main = finding.home or next(iter(finding.where), Place(""))
    others = [place for place in finding.where if place is not main]
    message = f"{finding.subject}: {finding.message}" if finding.subject else finding.message
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": f"{message}\nfix: {finding.fix}" if finding.fix else message},
        "locations": [_location(main, finding.subject)],
        "relatedLocations": [
            {"id": number, **_location(place, finding.subject)}
            for number, place in enumerate(others, start=1)
        ],
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding, seen)},
        # All results or none may have the key, so one that nobody accepted has an empty list.
        "suppressions": [_suppression(accepted)] if accepted else [],
        "properties": {"confidence": finding.confidence, "subject": finding.subject},
    }


def _location(place: Place, subject: str) -> dict[str, Any]:
    """Return the place: as a physical one only for a file that the reader can open."""
    location: dict[str, Any] = {}
    if place.in_project:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(place.file, safe="/"), "uriBaseId": "%SRCROOT%"}
        }
        if place.line:
            location["physicalLocation"]["region"] = {"startLine": place.line}
    else:
        name = str(place) or subject
        location["logicalLocations"] = [{"fullyQualifiedName": name}] if name else []
    if place.side:
        location["message"] = {"text": place.side}
    return location


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """Return what stays equal when lines move or a message is worded better."""
    file = finding.home.file if finding.home else ""
    identity = f"{finding.rule}\n{finding.subject}\n{file}"
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _suppression(item: Suppressed) -> dict[str, Any]:
    place = item.place
    beside = place is not None and place.file in {each.file for each in item.finding.where}
    suppression: dict[str, Any] = {
        "kind": "inSource" if beside else "external",
        "justification": item.reason,
    }
    if place is not None:
        suppression["location"] = _location(place, item.finding.subject)
    return suppression


def _notification(remark: Remark) -> dict[str, Any]:
    message = f"{remark.subject}: {remark.message}" if remark.subject else remark.message
    return {
        "level": "note",
        "message": {"text": f"{message}\nfix: {remark.fix}" if remark.fix else message},
        "descriptor": {"id": remark.rule},
        "locations": [_location(place, remark.subject) for place in remark.where],
    }

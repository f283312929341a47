"""Findings that were there before: a file to adopt a checker in an old project.

Findings are known by rule, subject and file, not by line or wording, so a baseline survives
edits; what the file counts more often than the report is simply gone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from invoke_stack import files
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place, Report, Suppressed

SCHEMA = 1
REASON = "in the baseline"


def write(path: Path, findings: Iterable[Finding]) -> int:
    """Write the findings as a baseline and return how many there are."""
    entries = sorted(_identity(each) for each in findings)
    rows = [{"rule": rule, "subject": subject, "file": file} for rule, subject, file in entries]
    text = json.dumps({"schema": SCHEMA, "findings": rows}, ensure_ascii=False, indent=2)
    files.write(path, text + "\n")
    path.chmod(0o644)  # it is committed, and holds no value
    return len(entries)


def applied(report: Report, path: Path) -> Report:
    """Return the report with the findings of a baseline among its suppressed ones.

    Raises:
        UsageError: the file is missing or no baseline.
    """
    left = _read(path)
    kept, known = [], []
    for finding in report.findings:
        identity = _identity(finding)
        if left[identity] > 0:
            left[identity] -= 1
            known.append(Suppressed(finding, REASON, Place("baseline", path.name)))
        else:
            kept.append(finding)
    return replace(report, findings=tuple(kept), suppressed=(*report.suppressed, *known))


def _read(path: Path) -> Counter[tuple[str, str, str]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["findings"]
        return Counter((str(r["rule"]), str(r["subject"]), str(r["file"])) for r in rows)
    except OSError:
        hint = "inv parity.accept --baseline FILE writes one"
        raise UsageError(str(path), "no such baseline", hint=hint) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(str(path), "not a baseline", hint="write it anew") from None


def _identity(finding: Finding) -> tuple[str, str, str]:
    home = finding.home
    return finding.rule, finding.subject, home.file if home else ""

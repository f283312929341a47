from __future__ import annotations

import json

from invoke_stack.findings import document
from invoke_stack.findings.model import Finding, Report


def test_json_has_the_shape_that_others_rely_on(report: Report) -> None:
    shape = json.loads(document.write(report))

    assert list(shape) == ["schema", "findings", "passes", "unknowns", "suppressed"]
    assert shape["schema"] == 1
    assert shape["findings"][0] == {
        "rule": "PAR201",
        "severity": "error",
        "confidence": "high",
        "subject": "db",
        "message": "PostgreSQL major differs: production 14, local 11",
        "fix": "image: postgres:14-alpine",
        "where": [
            {"side": "production", "file": "render.yaml", "line": 93},
            {"side": "local", "file": "docker/compose.yml", "line": 4},
        ],
    }


def test_a_place_without_file_or_line_has_null(report: Report) -> None:
    shape = document.document(report)

    assert shape["findings"][1]["where"][1] == {
        "side": "production",
        "file": "render.yaml",
        "line": None,
    }


def test_passes_and_unknowns_say_what_was_looked_at(report: Report) -> None:
    shape = document.document(report)

    assert shape["passes"] == [
        {
            "rule": "PAR401",
            "subject": "web",
            "message": "the health path is the same",
            "fix": "",
            "where": [],
        }
    ]
    assert shape["unknowns"][0]["fix"] == "facts: {cache: 8}"


def test_suppressed_entries_are_findings_with_their_reason(report: Report) -> None:
    (accepted,) = document.document(report)["suppressed"]

    assert accepted["rule"] == "PAR301"
    assert accepted["severity"] == "error"
    assert accepted["reason"] == "comes in phase 7"
    assert accepted["until"] == "2026-12-31"
    assert accepted["place"] == {"side": "settings", "file": "invoke.yaml", "line": 12}


def test_other_alphabets_are_written_as_they_are() -> None:
    report = Report((Finding("A", "error", "high", "größe", "m"),))

    assert '"größe"' in document.write(report)

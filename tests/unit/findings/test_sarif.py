from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoke_stack.findings import sarif
from invoke_stack.findings.model import (
    SEVERITIES,
    Finding,
    Place,
    Remark,
    Report,
    Rule,
    Suppressed,
)

SCHEMA = Path(__file__).parents[2] / "data" / "sarif-schema-2.1.0.json"
VALIDATOR = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def run(report: Report) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(sarif.write(report))
    VALIDATOR.validate(log)
    return log["runs"][0]  # type: ignore[no-any-return]


def one(finding: Finding) -> dict[str, Any]:
    return run(Report((finding,)))["results"][0]  # type: ignore[no-any-return]


def test_a_report_with_everything_in_it_fits_the_official_schema(report: Report) -> None:
    log = json.loads(sarif.write(report))

    VALIDATOR.validate(log)
    assert log["version"] == "2.1.0"
    assert log["$schema"] == VALIDATOR.schema["id"]


def test_an_empty_report_is_a_run_without_results() -> None:
    assert run(Report())["results"] == []


def test_the_official_schema_is_not_a_formality(report: Report) -> None:
    log = json.loads(sarif.write(report))
    log["runs"][0]["results"][0]["level"] = "fatal"

    assert not VALIDATOR.is_valid(log)


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note")]
)
def test_levels_are_those_of_sarif(severity: Any, level: str) -> None:
    assert one(Finding("A", severity, "high", "x", "m"))["level"] == level


def test_rules_are_listed_once_and_results_point_at_them(report: Report) -> None:
    result = run(report)
    rules = result["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == ["IMG4", "PAR201", "PAR203", "PAR301"]
    assert rules[1]["shortDescription"]["text"] == "Datastore major differs"
    assert rules[1]["help"]["text"] == "Both sides run the same major."
    for each in result["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]


def test_the_first_project_file_is_the_location_and_the_others_are_related(report: Report) -> None:
    result = run(report)["results"][0]

    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "render.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 93},
            },
            "message": {"text": "production"},
        }
    ]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "docker/compose.yml"
    assert related["id"] == 1


@pytest.mark.parametrize("where", [(), (Place("production"),), (Place("image", "/app/.env", 3),)])
def test_what_is_no_file_of_the_project_has_no_physical_location(where: Any) -> None:
    result = one(Finding("A", "error", "high", "web", "m", where=where))

    (location,) = result["locations"]
    assert "physicalLocation" not in location
    assert location["logicalLocations"][0]["fullyQualifiedName"] in {"web", "/app/.env:3"}


def test_a_whole_file_has_no_region() -> None:
    result = one(Finding("A", "error", "high", "web", "m", where=(Place("local", "a.yml"),)))

    assert "region" not in result["locations"][0]["physicalLocation"]


def test_a_path_is_escaped_as_a_uri() -> None:
    where = (Place("local", "my app/ä:b.yml", 1),)

    result = one(Finding("A", "error", "high", "web", "m", where=where))

    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20app/%C3%A4%3Ab.yml"


def test_accepted_findings_carry_their_justification_and_all_others_an_empty_list(
    report: Report,
) -> None:
    *found, accepted = run(report)["results"]

    assert [each["suppressions"] for each in found] == [[], [], []]
    (suppression,) = accepted["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["justification"] == "comes in phase 7"


def test_a_comment_beside_the_evidence_is_a_suppression_in_source() -> None:
    finding = Finding("A", "error", "high", "x", "m", where=(Place("local", "a.yml", 4),))
    report = Report(suppressed=(Suppressed(finding, "known", Place("local", "a.yml", 3)),))

    assert run(report)["results"][0]["suppressions"][0]["kind"] == "inSource"


def test_a_finding_that_is_also_accepted_elsewhere_stays_unsuppressed() -> None:
    finding = Finding("A", "error", "high", "x", "m")

    first, second = run(Report((finding,), suppressed=(Suppressed(finding, "y"),)))["results"]

    assert first["suppressions"] == []
    assert second["suppressions"] != []


def test_the_fingerprint_survives_moved_lines_and_better_words() -> None:
    before = Finding("A", "error", "high", "x", "m", where=(Place("local", "a.yml", 4),))
    after = Finding("A", "warning", "low", "x", "other", "fix", (Place("local", "a.yml", 40),))

    assert one(before)["partialFingerprints"] == one(after)["partialFingerprints"]


@pytest.mark.parametrize(
    "other",
    [
        Finding("B", "error", "high", "x", "m", where=(Place("local", "a.yml", 4),)),
        Finding("A", "error", "high", "y", "m", where=(Place("local", "a.yml", 4),)),
        Finding("A", "error", "high", "x", "m", where=(Place("local", "b.yml", 4),)),
    ],
)
def test_other_findings_have_other_fingerprints(other: Finding) -> None:
    finding = Finding("A", "error", "high", "x", "m", where=(Place("local", "a.yml", 4),))

    assert one(finding)["partialFingerprints"] != one(other)["partialFingerprints"]


def test_the_fingerprint_has_not_changed_since_the_first_release() -> None:
    finding = Finding("A", "error", "high", "x", "m", where=(Place("local", "a.yml", 4),))

    assert one(finding)["partialFingerprints"] == {
        "ruleSubjectFile/v1": "bdbb2b0ec1528b6414733a9472efc3bd:1",
    }


def test_equal_findings_in_one_file_are_counted() -> None:
    findings = tuple(
        Finding("A", "error", "high", "x", "m", where=(Place("local", "a.yml", line),))
        for line in (4, 9)
    )

    results = run(Report(findings))["results"]

    marks = [each["partialFingerprints"]["ruleSubjectFile/v1"] for each in results]
    assert [mark[-2:] for mark in marks] == [":1", ":2"]


def test_what_could_not_be_checked_is_a_notification_and_no_result(report: Report) -> None:
    result = run(report)

    (said,) = result["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith("cache: the production version is not stated")
    assert "PAR003" not in {each["ruleId"] for each in result["results"]}


TEXTS = st.text(max_size=20)
PLACES = st.builds(Place, TEXTS, TEXTS, st.integers(0, 9))
FINDINGS = st.builds(
    Finding,
    st.text(min_size=1, max_size=5),
    st.sampled_from(SEVERITIES),
    st.sampled_from(("high", "medium", "low")),
    TEXTS,
    TEXTS,
    TEXTS,
    st.tuples(PLACES) | st.tuples(PLACES, PLACES) | st.just(()),
)
REMARKS = st.builds(Remark, st.text(min_size=1, max_size=5), TEXTS, TEXTS, TEXTS)
REPORTS = st.builds(
    Report,
    st.lists(FINDINGS, max_size=3).map(tuple),
    unknowns=st.lists(REMARKS, max_size=2).map(tuple),
    suppressed=st.lists(st.builds(Suppressed, FINDINGS, TEXTS, st.none() | PLACES), max_size=2).map(
        tuple
    ),
    rules=st.lists(st.builds(Rule, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
)


@settings(deadline=None)  # a busy machine is no bug
@given(REPORTS)
def test_any_report_fits_the_official_schema(report: Report) -> None:
    run(report)

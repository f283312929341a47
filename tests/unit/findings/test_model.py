from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoke_stack.errors import UsageError
from invoke_stack.findings.model import (
    SEVERITIES,
    Finding,
    Place,
    Remark,
    Report,
    Rule,
    Suppressed,
    combined,
    severity,
)


def finding(rule: str = "PAR201", level: str = "error", file: str = "", line: int = 0) -> Finding:
    where = (Place("local", file, line),) if file else ()
    return Finding(rule, severity(level), "high", "db", "majors differ", where=where)


def test_findings_stand_by_severity_then_rule_then_place() -> None:
    ordered = (
        finding("PAR202", "error"),
        finding("PAR101", "warning", "compose.yaml", 9),
        finding("PAR101", "warning", "compose.yaml", 10),
        finding("PAR101", "warning", "render.yaml", 1),
        finding("PAR102", "warning", "a.yaml", 1),
        finding("PAR001", "info"),
    )

    assert Report(tuple(reversed(ordered))).findings == ordered


def test_everything_else_in_a_report_is_ordered_too() -> None:
    passes = (Remark("PAR201", "db", "same major"), Remark("PAR202", "db", "pinned"))
    rules = (Rule("PAR201", "Major differs"), Rule("PAR202", "Not pinned"))
    accepted = tuple(Suppressed(finding(rule), "known") for rule in ("PAR201", "PAR202"))

    report = Report(
        passes=passes[::-1],
        unknowns=passes[::-1],
        suppressed=accepted[::-1],
        rules=(*rules[::-1], rules[0]),
    )

    assert (report.passes, report.unknowns, report.suppressed) == (passes, passes, accepted)
    assert report.rules == rules


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.lists(
        st.builds(
            finding,
            st.sampled_from(["A1", "A2"]),
            st.sampled_from(SEVERITIES),
            st.sampled_from(["", "a", "b"]),
            st.integers(0, 3),
        )
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_discovery_does_not_matter(
    findings: list[Finding], chance: random.Random
) -> None:
    shuffled = list(findings)
    chance.shuffle(shuffled)

    assert Report(tuple(shuffled)) == Report(tuple(findings))


def test_worst_is_the_highest_severity_found() -> None:
    assert Report((finding(level="info"), finding(level="warning"))).worst == "warning"
    assert Report().worst is None


@pytest.mark.parametrize(("limit", "count"), [("error", 1), ("warning", 2), ("info", 3)])
def test_at_or_above_counts_what_fail_on_counts(limit: str, count: int) -> None:
    report = Report(tuple(finding(level=each) for each in SEVERITIES))

    assert len(report.at_or_above(severity(limit))) == count


def test_accepted_findings_never_count() -> None:
    report = Report(suppressed=(Suppressed(finding(), "Redis comes in phase 7"),))

    assert report.worst is None
    assert report.at_or_above("info") == ()


def test_an_unknown_severity_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no such severity: fatal") as caught:
        severity("fatal", "stack.parity.fail")

    assert caught.value.where == "stack.parity.fail"
    assert caught.value.hint == "known: error, warning, info"


@pytest.mark.parametrize(
    ("file", "inside"),
    [
        ("compose.yaml", True),
        ("docker/x", True),
        ("", False),
        ("/app/.env", False),
        ("C:\\x", False),
    ],
)
def test_only_relative_paths_are_files_of_the_project(file: str, inside: bool) -> None:  # noqa: FBT001
    assert Place("local", file).in_project is inside


def test_home_is_the_first_place_that_can_be_edited() -> None:
    places = (
        Place("production"),
        Place("image", "/app/.env"),
        Place("local", "a", 3),
        Place("x", "b"),
    )
    found = Finding("IMG1", "error", "high", "web", "has secrets", where=places)

    assert found.home == places[2]
    assert finding().home is None


def test_combined_holds_what_every_report_says() -> None:
    one = Report((finding(level="info"),), passes=(Remark("A", "a", "ok"),))
    two = Report((finding(),), unknowns=(Remark("B", "b", "?"),), rules=(Rule("A", "a"),))

    both = combined([one, two])

    assert [each.severity for each in both.findings] == ["error", "info"]
    assert both.passes == one.passes
    assert both.unknowns == two.unknowns
    assert both.rules == two.rules

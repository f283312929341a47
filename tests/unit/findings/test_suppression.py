from collections.abc import Collection, Iterable
from datetime import date

import pytest

from invoke_stack.findings.model import Finding, Place, Remark, Report
from invoke_stack.findings.suppression import Acceptance, applied, comments, settled
from invoke_stack.settings import AcceptSettings

TODAY = date(2026, 11, 21)


def finding(subject: str = "redis") -> Finding:
    where = (Place("local", "compose.yaml", 3), Place("production", "render.yaml", 9))
    return Finding("PAR203", "warning", "high", subject, "only local", "", where)


def after(
    findings: Iterable[Finding],
    acceptances: Iterable[Acceptance],
    checked: Collection[str] | None = None,
) -> Report:
    report = Report(tuple(findings))
    return applied(report, list(acceptances), rule="PAR004", today=TODAY, checked=checked)


def test_a_comment_above_the_evidence_accepts_the_finding_with_its_reason() -> None:
    text = "services:\n  # parity: ignore[PAR203] -- later\n  redis:\n    image: redis\n"
    report = after([finding()], comments(text, "compose.yaml", "parity"))
    assert report.findings == ()
    (accepted,) = report.suppressed
    assert accepted.reason == "later"
    assert str(accepted.place) == "compose.yaml:2"


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\n  redis: # parity: ignore[PAR203] -- later\n",
        "# parity: ignore[PAR203] -- later\n# another comment\nredis:\n",
        "a\n# parity: ignore[PAR101,PAR203] until 2026-11-22 -- later\nredis:\n",
    ],
)
def test_a_comment_counts_on_the_line_and_in_the_comment_block_above(text: str) -> None:
    report = after([finding()], comments(text, "compose.yaml", "parity"))
    assert [each.finding.subject for each in report.suppressed] == ["redis"]
    assert report.findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "# parity: ignore[PAR203] -- later\nweb:\nredis:\n",
        "a\n# image: ignore[PAR203] -- later\nredis:\n",
        "a\n# parity: ignore[PAR204] -- later\nredis:\n",
    ],
)
def test_a_comment_elsewhere_or_about_another_rule_or_checker_accepts_nothing(text: str) -> None:
    report = after([finding()], comments(text, "compose.yaml", "parity"))
    assert finding() in report.findings


def test_a_comment_of_another_file_says_nothing_about_this_one() -> None:
    text = "a\n# parity: ignore[PAR203] -- later\nredis:\n"
    report = after([finding()], comments(text, "other.yaml", "parity"))
    assert finding() in report.findings


def test_without_a_reason_nothing_is_accepted_and_that_is_a_finding() -> None:
    text = "a\n# parity: ignore[PAR203]\nredis:\n"
    report = after([finding()], comments(text, "compose.yaml", "parity"))
    assert [each.rule for each in report.findings] == ["PAR004", "PAR203"]
    assert "no reason" in report.findings[0].message


@pytest.mark.parametrize(("until", "word"), [("2026-11-21", "expired"), ("soon", "not one")])
def test_a_date_that_is_past_or_none_accepts_nothing(until: str, word: str) -> None:
    report = after([finding()], [Acceptance(("PAR203",), "later", until=until)])
    assert finding() in report.findings
    assert any(word in each.message for each in report.findings)


def test_an_acceptance_that_accepts_nothing_is_a_finding_unless_its_rule_did_not_run() -> None:
    idle = Acceptance(("PAR301",), "later")
    assert [each.rule for each in after([], [idle]).findings] == ["PAR004"]
    assert after([], [idle], checked={"PAR203"}).findings == ()


def test_a_rule_that_could_not_decide_leaves_its_acceptances_alone() -> None:
    report = Report(unknowns=(Remark("PAR201", "db", "not known"),))
    idle = Acceptance(("PAR201",), "later")
    assert applied(report, [idle], rule="PAR004", today=TODAY).findings == ()


@pytest.mark.parametrize("match", ["redis", "REDIS", "red*", "compose.yaml", "*.yaml", ""])
def test_settings_accept_by_subject_or_file(match: str) -> None:
    report = after([finding()], [Acceptance(("PAR203",), "later", match)])
    assert report.findings == ()


def test_settings_leave_other_subjects_alone() -> None:
    report = after(
        [finding(), finding(subject="vroom")], [Acceptance(("PAR203",), "later", "redis")]
    )
    assert [each.subject for each in report.findings] == ["vroom"]


def test_settings_accept_as_comments_do_and_are_named_when_they_accept_nothing() -> None:
    entries = (AcceptSettings("PAR203", "redis", "later"), AcceptSettings("PAR301", "", "gone"))
    report = after([finding()], settled(entries, "stack.parity.accept"))

    assert [each.reason for each in report.suppressed] == ["later"]
    assert [(each.subject, str(each.where[0])) for each in report.findings] == [
        ("PAR301", "stack.parity.accept")
    ]

from __future__ import annotations

import pytest

from invoke_stack.findings import text
from invoke_stack.findings.model import Finding, Place, Remark, Report

EXPECTED = """\
errors
  PAR201  db  PostgreSQL major differs: production 14, local 11
          production  render.yaml:93
          local       docker/compose.yml:4
          fix         image: postgres:14-alpine

warnings
  PAR203  redis  is only in the local stack (likely)
          local       docker/compose.yml:29
          production  render.yaml

info
  IMG4  web  holds a file that it does not need (possible)
        image  /app/.env:2

unknown
  PAR003  cache  the production version is not stated
          production  render.yaml:7
          fix         facts: {cache: 8}

suppressed
  PAR301  SENTRY_DSN  is not declared in production (accepted: comes in phase 7)

1 error, 1 warning, 1 info; 1 passed, 1 unknown, 1 suppressed"""


def test_text_groups_by_severity_and_ends_with_the_counts(report: Report) -> None:
    assert text.write(report) == EXPECTED


def test_passes_are_listed_on_request(report: Report) -> None:
    shown = text.write(report, passes=True)

    assert "passed\n  PAR401  web  the health path is the same\n" in shown


def test_an_empty_report_is_its_counting_line() -> None:
    assert text.write(Report()) == "0 errors, 0 warnings, 0 info"


def test_columns_are_aligned_within_a_group() -> None:
    report = Report(
        tuple(
            Finding(rule, "error", "high", subject, "is wrong")
            for rule, subject in (("A1", "DATABASE_URL"), ("LONG_RULE", "X"))
        )
    )

    assert text.write(report).splitlines()[1:3] == [
        "  A1         DATABASE_URL  is wrong",
        "  LONG_RULE  X             is wrong",
    ]


def test_one_very_long_subject_does_not_push_the_others_away() -> None:
    subject = "s" * 60
    report = Report(
        tuple(Finding("A", "error", "high", name, "is wrong") for name in ("X", subject))
    )

    assert text.write(report).splitlines()[1:3] == [
        "  A  X  is wrong",
        f"  A  {subject}  is wrong",
    ]


def test_a_fix_of_several_lines_stays_in_its_column() -> None:
    report = Report((Finding("A", "error", "high", "", "no check", "healthcheck:\n  test: x"),))

    assert text.write(report).splitlines()[1:4] == [
        "  A  no check",
        "     fix  healthcheck:",
        "            test: x",
    ]


def test_a_place_without_a_file_is_left_out() -> None:
    report = Report((Finding("A", "error", "high", "web", "x", where=(Place("production"),)),))

    assert "production" not in text.write(report)


@pytest.mark.parametrize("control", ["\x1b[2J", "\r", "\x07", "\x9b1m", "\u202e", "\t"])
def test_foreign_control_characters_do_not_reach_the_terminal(control: str) -> None:
    finding = Finding("A", "error", "high", f"a{control}b", f"c{control}d", f"e{control}f")
    remark = Remark("B", f"g{control}h", "x")

    assert control not in text.write(Report((finding,), unknowns=(remark,)))


def test_of_many_places_the_first_are_shown_and_the_rest_is_counted() -> None:
    where = tuple(Place("local", "a.env", line) for line in range(1, 21))
    finding = Finding("PAR301", "info", "high", "A, B", "missing", "", where)

    shown = text.write(Report((finding,)))

    assert "a.env:7" in shown
    assert "a.env:8" not in shown
    assert "and 13 more places" in shown

from __future__ import annotations

from pathlib import Path

from invoke_stack.doctor import check, line
from invoke_stack.doctor.line import ok, told, unknown, wrong
from invoke_stack.doctor.rules import RULES, area, place
from invoke_stack.errors import UsageError

DOCS = Path(__file__).parents[3] / "docs" / "doctor.md"


def test_lines_become_findings_passes_and_unknowns() -> None:
    found = line.report(
        [
            ok("DOC-ENGINE", "docker", "answers"),
            unknown("DOC-DISK", "docker", "not known", "docker system df"),
            wrong("DOC-NODE", "node", "too old", "update", file="package.json", line=3),
            wrong("DOC-PRISMA", "prisma", "may be so", "", state="info"),
        ]
    )

    assert [each.rule for each in found.passes] == ["DOC-ENGINE"]
    assert [(each.rule, each.fix) for each in found.unknowns] == [("DOC-DISK", "docker system df")]
    assert [(each.severity, each.rule) for each in found.findings] == [
        ("error", "DOC-NODE"),
        ("info", "DOC-PRISMA"),
    ]
    assert str(found.findings[0].where[0]) == "package.json:3"


def test_the_error_of_a_task_keeps_its_place_and_its_hint() -> None:
    found = told("DOC-STACK", UsageError("compose.yaml:7", "broken", hint="correct it"))

    assert (found.subject, found.message, found.fix) == ("compose.yaml:7", "broken", "correct it")
    assert [(each.file, each.line) for each in found.where] == [("compose.yaml", 7)]


def test_every_check_tells_of_a_known_rule() -> None:
    known = {rule.id for rule in RULES}

    assert {rule for rule, _ in check.CHECKS} == known


def test_rules_have_a_word_for_people_and_an_order() -> None:
    assert area("DOC-ENGINE") == "engine"
    assert place("DOC-ENGINE") < place("DOC-DATABASE") < place("DOC-PYTHON")


def test_the_page_names_every_rule() -> None:
    text = DOCS.read_text("utf-8")

    assert [rule.id for rule in RULES if f"`{rule.id}`" not in text] == []

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Place
from invoke_stack.parity import catalogue
from invoke_stack.parity.check import Request, failing, judge
from invoke_stack.parity.declaration import Declaration
from invoke_stack.parity.pairing import Pairing
from invoke_stack.parity.repository import Facts, Repository
from invoke_stack.parity.rule import Found, Outcome, Passed, Rule, Unknown, rule
from invoke_stack.parity.workspace import Workspace
from invoke_stack.project import Project

Lay = Callable[[Mapping[str, str]], Project]
OWN = {"compose.yaml": "services:\n  redis:\n    image: redis\n"}
HERE = (Place("local", "compose.yaml", 2),)
TODAY = date(2026, 11, 21)


@rule("ACME1", "nothing may be called redis", "error", "high", page="# ACME1\n\nOur own.\n")
def redis(facts: Facts) -> Iterator[Outcome]:
    assert facts.local.side == "local"
    yield Found("redis", "is called redis", HERE, "call it cache")


@rule("ACME2", "three of one kind")
def grouped(_: Facts) -> Iterator[Outcome]:
    for name in ("B", "A", "C"):
        yield Found(name, name, HERE, f"{name}=", group="keys that are missing")
    yield Passed("D", "is there")
    yield Unknown("E", "is not known", "facts: {e: 1}")


@rule("ACME3", "only possible", "error", "low")
def possible(_: Facts) -> Iterator[Outcome]:
    yield Found("maybe", "could be wrong", HERE)


def with_rules(project: Project, *rules: Rule) -> Project:
    from dataclasses import replace

    parity = replace(project.settings.parity, rules=rules)
    return replace(project, settings=replace(project.settings, parity=parity))


def facts(project: Project) -> Facts:
    local = Declaration("local", "compose", ("compose.yaml",))
    return Facts(
        Repository(Workspace(project)),
        Declaration("production", "render", ("render.yaml",)),
        {"base": local},
        Pairing(),
    )


def test_a_function_becomes_a_rule_with_severity_confidence_and_page(lay: Lay) -> None:
    project = with_rules(lay(OWN), redis)

    report = judge(project, facts(project), Request(select=("ACME",)))

    (finding,) = report.findings
    assert (finding.rule, finding.severity, finding.confidence) == ("ACME1", "error", "high")
    assert finding.fix == "call it cache"
    assert redis.text().startswith("# ACME1")


def test_a_group_is_one_finding_and_each_of_it_can_be_accepted(lay: Lay) -> None:
    accept = "stack:\n  parity:\n    accept:\n      - {rule: ACME2, match: A, reason: later}\n"
    project = with_rules(lay({**OWN, "invoke.yaml": accept}), grouped)

    report = judge(project, facts(project), Request(select=("ACME",), today=TODAY))

    (finding,) = report.findings
    assert finding.subject == "B, C"
    assert finding.message == "keys that are missing: B, C"
    assert [each.finding.subject for each in report.suppressed] == ["A"]
    assert [each.subject for each in report.passes] == ["D"]
    assert [(each.subject, each.fix) for each in report.unknowns] == [("E", "facts: {e: 1}")]


def test_a_comment_in_a_file_that_was_read_accepts(lay: Lay) -> None:
    text = "services:\n  # parity: ignore[ACME1] -- the queue needs it\n  redis:\n"
    project = with_rules(lay({"compose.yaml": text}), redis)

    report = judge(project, facts(project), Request(select=("ACME", "PAR004"), today=TODAY))

    assert report.findings == ()
    assert [each.reason for each in report.suppressed] == ["the queue needs it"]


def test_an_unused_comment_is_a_finding_unless_its_rule_did_not_run(lay: Lay) -> None:
    text = "services:\n  # parity: ignore[PAR203] -- long gone\n  redis:\n"
    project = lay({"compose.yaml": text})

    told = judge(project, facts(project), Request(select=("PAR004", "PAR203"), today=TODAY))
    silent = judge(project, facts(project), Request(select=("PAR004",), today=TODAY))

    assert [each.rule for each in told.findings] == ["PAR004"]
    assert silent.findings == ()


def test_a_baseline_leaves_only_what_is_new(lay: Lay, tmp_path: Path) -> None:
    project = with_rules(lay(OWN), redis, grouped)
    rows = [{"rule": "ACME1", "subject": "redis", "file": "compose.yaml"}]
    (tmp_path / "base.json").write_text(json.dumps({"schema": 1, "findings": rows}))

    request = Request(select=("ACME",), baseline="base.json", today=TODAY)
    report = judge(project, facts(project), request)

    assert [each.rule for each in report.findings] == ["ACME2"]
    assert [each.reason for each in report.suppressed] == ["in the baseline"]


@pytest.mark.parametrize("text", ["", "[]", '{"findings": [{"rule": 1}]}'])
def test_what_is_no_baseline_is_refused(lay: Lay, tmp_path: Path, text: str) -> None:
    project = lay(OWN)
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(UsageError, match="not a baseline"):
        judge(project, facts(project), Request(baseline="base.json"))


def test_what_is_only_possible_or_asks_for_a_fact_fails_nothing(lay: Lay) -> None:
    project = with_rules(lay(OWN), possible, redis)
    report = judge(project, facts(project), Request(select=("ACME",)))
    assert [each.rule for each in failing(report, "error")] == ["ACME1"]
    assert [each.rule for each in failing(report, "error", "low")] == ["ACME1", "ACME3"]


def test_rules_are_chosen_by_the_beginning_of_their_id() -> None:
    known = catalogue.RULES
    chosen = {each.id for each in catalogue.chosen(known, ("PAR2,PAR401",), ("par204",))}
    assert {"PAR201", "PAR401"} <= chosen
    assert not {"PAR204", "PAR402"} & chosen


@pytest.mark.parametrize(
    ("select", "ignore"), [(("PAR9999",), ()), ((), ("XYZ",))], ids=["select", "ignore"]
)
def test_a_beginning_that_no_rule_has_is_refused(
    select: tuple[str, ...], ignore: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="no rule begins with"):
        catalogue.chosen(catalogue.RULES, select, ignore)


@pytest.mark.parametrize("further", [[len], ["no.such:thing"], [catalogue.RULES[0]]])
def test_what_is_no_rule_or_takes_an_id_is_refused(further: list[object]) -> None:
    with pytest.raises(UsageError):
        catalogue.rules(further)


def test_every_rule_of_the_catalogue_is_there_with_its_page() -> None:
    pages = Path(catalogue.__file__).parent / "pages"
    ids = [each.id for each in catalogue.RULES]

    assert len(ids) == len(set(ids)) == 54
    assert sorted(each.stem for each in pages.glob("*.md")) == ids
    for each in catalogue.RULES:
        text = each.text()
        assert text.startswith(f"# {each.id} {each.title}\n")
        assert all(f"\n## {part}\n" in text for part in ("Bad", "Good", "Quiet"))


def test_a_rule_is_found_in_any_case_and_a_near_one_is_suggested() -> None:
    assert catalogue.find("par201", catalogue.RULES).id == "PAR201"
    with pytest.raises(UsageError) as refused:
        catalogue.find("PAR2O1", catalogue.RULES)
    assert "PAR201" in str(refused.value.hint)

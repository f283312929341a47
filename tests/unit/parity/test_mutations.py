"""One fact of a clean pair is changed: exactly the rule that it is about has to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from invoke_stack.findings.model import Finding
from invoke_stack.parity.check import check
from invoke_stack.project import Project

DATA = Path(__file__).parents[2] / "data" / "parity"
PAIRS = sorted(each.stem for each in DATA.glob("*.txt"))
MUTATIONS = yaml.safe_load((DATA / "mutations.yaml").read_text(encoding="utf-8"))
UNREAD = "PAR001"
"""Compose is not there in these tests, and that is said; nothing else may be."""

Lay = Callable[[Mapping[str, str]], Project]
Pair = Callable[[str], dict[str, str]]


def said(project: Project) -> list[Finding]:
    return [each for each in check(project).findings if each.rule != UNREAD]


def shown(findings: list[Finding]) -> list[str]:
    return [f"{each.rule} {each.severity} {each.subject}: {each.message}" for each in findings]


def test_there_are_ten_layouts_and_at_least_150_mutations() -> None:
    assert len(PAIRS) == 10
    assert len(MUTATIONS) >= 150
    assert {each[0] for each in MUTATIONS} == set(PAIRS)


@pytest.mark.parametrize("name", PAIRS)
def test_a_clean_pair_has_no_finding(lay: Lay, pair: Pair, name: str) -> None:
    assert shown(said(lay(pair(name)))) == []


@pytest.mark.parametrize(
    "mutation", MUTATIONS, ids=[f"{n}-{each[0]}-{each[4]}" for n, each in enumerate(MUTATIONS)]
)
def test_a_changed_fact_is_what_its_rule_says(lay: Lay, pair: Pair, mutation: list[str]) -> None:
    name, file, old, new, rule = mutation
    files = pair(name)
    if old is None and new is None:
        del files[file]
    elif old is None:
        files[file] = new
    else:
        assert files[file].count(old) >= 1, "the mutation no longer fits its pair"
        files[file] = files[file].replace(old, new, 1)

    findings = said(lay(files))

    wanted = {rule} if isinstance(rule, str) else set(rule)
    assert {each.rule for each in findings} == wanted, shown(findings)
    # One change, one finding of each rule: what is said twice is read by nobody.
    assert len(findings) == len(wanted), shown(findings)
    for each in findings:
        assert each.where, "a finding without evidence"
        assert each.fix, "a finding without the line to write"

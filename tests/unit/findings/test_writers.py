from __future__ import annotations

import json

import pytest

from invoke_stack.errors import ExitCode, UsageError
from invoke_stack.findings.model import Report
from invoke_stack.findings.writers import FORMATS, write


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_the_same_way_twice(name: str, report: Report) -> None:
    again = Report(
        report.findings[::-1], report.passes, report.unknowns, report.suppressed, report.rules
    )

    assert write(report, name) == write(again, name)
    assert not write(report, name).endswith("\n")


def test_json_and_sarif_are_json(report: Report) -> None:
    assert json.loads(write(report, "json"))["schema"] == 1
    assert json.loads(write(report, "sarif"))["version"] == "2.1.0"


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no such format: xml") as caught:
        write(Report(), "xml")

    assert caught.value.code == ExitCode.USAGE
    assert caught.value.where == "--format"
    assert caught.value.hint == "known: text, json, sarif, github, markdown"

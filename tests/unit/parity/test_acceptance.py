from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place, Report
from invoke_stack.parity import acceptance
from invoke_stack.project import Project

Lay = Callable[[Mapping[str, str]], Project]


def report(*places: Place, subject: str = "redis") -> Report:
    return Report((Finding("PAR203", "warning", "medium", subject, "x", "", places),))


def test_the_comment_stands_above_the_local_evidence_with_its_indentation(
    lay: Lay, tmp_path: Path
) -> None:
    project = lay({"compose.yaml": "services:\r\n  redis:\r\n    image: redis\r\n"})
    (tmp_path / "compose.yaml").chmod(0o640)
    found = report(Place("production", "render.yaml", 1), Place("local", "compose.yaml", 2))

    acceptance.write(project, acceptance.plan(found, "par203", "red", "later", "2027-01-31"))

    path = tmp_path / "compose.yaml"
    assert path.read_bytes() == (
        b"services:\r\n  # parity: ignore[PAR203] until 2027-01-31 -- later\r\n"
        b"  redis:\r\n    image: redis\r\n"
    )
    assert path.stat().st_mode & 0o777 == 0o640


def test_two_places_in_one_file_keep_their_lines(lay: Lay, tmp_path: Path) -> None:
    project = lay({"Dockerfile": "FROM a\nFROM b\n"})
    one, two = (report(Place("local", "Dockerfile", line)).findings[0] for line in (1, 2))

    acceptance.write(project, acceptance.plan(Report((one, two)), "PAR203", "", "later"))

    comment = "# parity: ignore[PAR203] -- later\n"
    assert (tmp_path / "Dockerfile").read_text() == f"{comment}FROM a\n{comment}FROM b\n"


@pytest.mark.parametrize("file", ["package.json", ".nvmrc", "render.yaml"])
def test_where_no_comment_can_stand_the_setting_is_named(file: str) -> None:
    line = 0 if file == "render.yaml" else 1
    with pytest.raises(UsageError) as refused:
        acceptance.plan(report(Place("local", file, line)), "PAR203", "", "later")
    assert "stack.parity.accept" in str(refused.value.hint)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines"])
def test_a_reason_of_one_line_is_needed(reason: str) -> None:
    with pytest.raises(UsageError):
        acceptance.comment("PAR203", reason)

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from invoke_stack.findings import github
from invoke_stack.findings.model import Finding, Place, Remark, Report


def test_every_finding_is_an_annotation_on_its_line(report: Report) -> None:
    assert github.write(report).splitlines() == [
        (
            "::error file=render.yaml,line=93,title=PAR201 db::PostgreSQL major differs: production"
            " 14, local 11%0Alocal: docker/compose.yml:4%0Afix: image: postgres:14-alpine"
        ),
        (
            "::warning file=docker/compose.yml,line=29,title=PAR203 redis::is only in the"
            " local stack%0Aproduction: render.yaml"
        ),
        "::notice title=IMG4 web::holds a file that it does not need%0Aimage: /app/.env:2",
        (
            "::notice file=render.yaml,line=7,title=PAR003 cache::the production version is"
            " not stated%0Afix: facts: {cache: 8}"
        ),
    ]


def test_an_empty_report_annotates_nothing() -> None:
    assert github.write(Report()) == ""


def test_accepted_findings_are_not_annotated(report: Report) -> None:
    assert "PAR301" not in github.write(report)


def test_a_whole_file_is_annotated_without_a_line() -> None:
    finding = Finding("A", "error", "high", "x", "m", where=(Place("local", "a,b:c.yml"),))

    assert github.write(Report((finding,))) == "::error file=a%2Cb%3Ac.yml,title=A x::m"


def unescaped(text: str) -> str:
    """Undo what the runner's own parser undoes, in its order."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(code, character)
    return text.replace("%25", "%")


@settings(deadline=None)  # a busy machine is no bug
@given(st.text())
def test_a_message_survives_the_trip_through_a_workflow_command(text: str) -> None:
    line = github.escaped_property(text)

    assert unescaped(line) == text
    assert not set(line) & set("\r\n:,")
    assert not set(github.escaped(text)) & set("\r\n")


@settings(deadline=None)  # a busy machine is no bug
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_can_add_a_command_of_its_own(subject: str, message: str) -> None:
    remark = Remark("A", subject, f"{message}\n::stop-commands::x")

    assert github.write(Report(unknowns=(remark,))).count("\n") == 0

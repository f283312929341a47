from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from invoke_stack.findings import markdown
from invoke_stack.findings.model import Finding, Report


def cells(text: str) -> list[str]:
    """Return what a reader sees in the body cells of all tables."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    shown = []
    for before, token in pairwise(tokens):
        if before.type == "td_open":
            parts = []
            for child in token.children or ():
                assert child.type in {"text", "html_inline", "text_special"}, child
                parts.append("\n" if child.type == "html_inline" else child.content)
            shown.append("".join(parts))
    return shown


def test_markdown_is_a_table_with_a_closing_line(report: Report) -> None:
    lines = markdown.write(report).splitlines()

    assert lines[0] == "| Severity | Rule | Subject | Finding | Where | Fix |"
    assert lines[2] == (
        r"| error | PAR201 | db | PostgreSQL major differs\: production 14, local 11 |"
        r" production render.yaml\:93<br>local docker/compose.yml\:4 |"
        r" image\: postgres\:14-alpine |"
    )
    assert lines[-1] == "**1 error, 1 warning, 1 info; 1 passed, 1 unknown, 1 suppressed**"


def test_unknown_and_suppressed_have_tables_of_their_own(report: Report) -> None:
    shown = cells(markdown.write(report))

    assert "facts: {cache: 8}" in shown
    assert "comes in phase 7" in shown
    assert "is only in the local stack (likely)" in shown


def test_an_empty_report_is_its_counting_line() -> None:
    assert markdown.write(Report()) == "**0 errors, 0 warnings, 0 info**"


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Z"], include_characters=" \n|`*_<>[]\\"),
        min_size=1,
    )
)
@example("a|b")
@example("`a|b` <script> **x** [l](http://x) ![i](y) \\| &amp; ~~z~~")
@example("# h\n- l\n> q\n---\n")
@example("http://user@example.com www.example.com :tada: #1 @me")
def test_any_text_is_shown_word_for_word(text: str) -> None:
    finding = Finding("R", "error", "high", "s", "m", text)

    shown = cells(markdown.write(Report((finding,))))

    assert len(shown) == 6
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    assert [" ".join(line.split()) for line in shown[5].split("\n")] == lines

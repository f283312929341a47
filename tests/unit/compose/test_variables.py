from __future__ import annotations

from pathlib import Path

import pytest

from invoke_stack.compose.variables import Variable, missing, scan, undefined
from invoke_stack.errors import UsageError


def scanned(tmp_path: Path, text: str) -> tuple[Variable, ...]:
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    return scan(path, "compose.yaml")


def test_a_variable_is_found_with_its_line_default_and_message(tmp_path: Path) -> None:
    found = scanned(
        tmp_path,
        "services:\n"
        "  web:\n"
        "    image: app:${TAG:-latest}\n"
        '    ports: ["${PORT-3000}:3000"]\n'
        "    environment:\n"
        "      SECRET: ${SECRET:?set it}\n"
        "      PLAIN: $PLAIN\n",
    )

    assert [(v.name, v.operator, v.default, v.message, v.where) for v in found] == [
        ("TAG", ":-", "latest", None, "compose.yaml:3"),
        ("PORT", "-", "3000", None, "compose.yaml:4"),
        ("SECRET", ":?", None, "set it", "compose.yaml:6"),
        ("PLAIN", "", None, None, "compose.yaml:7"),
    ]


def test_keys_comments_and_escaped_dollars_name_no_variable(tmp_path: Path) -> None:
    assert scanned(tmp_path, "# ${A}\n${B}: $$C $1\n") == ()


def test_composes_own_tags_extensions_anchors_and_merges_are_read(tmp_path: Path) -> None:
    found = scanned(
        tmp_path,
        "x-env: &env\n  A: ${A}\n"
        "services:\n  web:\n    ports: !override ['${P}:1']\n    volumes: !reset null\n"
        "    environment:\n      <<: *env\n      B: ${B}\n",
    )

    assert [(v.name, v.line) for v in found] == [("A", 2), ("P", 5), ("B", 9)]


def test_a_value_of_several_lines_counts_from_its_start(tmp_path: Path) -> None:
    found = scanned(tmp_path, "a: 1\nb: |\n  one\n  ${X}\n---\nc: ${Y}\n")

    assert [(v.name, v.line) for v in found] == [("X", 2), ("Y", 6)]


def test_an_alias_that_contains_itself_ends(tmp_path: Path) -> None:
    assert [v.name for v in scanned(tmp_path, "a: &a\n  b: *a\n  c: ${X}\n")] == ["X"]


def test_a_key_that_is_a_list_or_mapping_names_no_variable(tmp_path: Path) -> None:
    text = "? [$A, {x: $B}]\n: [$C, {$D: $E}]\nf: {g: $F, ? $G : {h: $H}}\ni: $I\n"

    assert [v.name for v in scanned(tmp_path, text)] == ["C", "E", "F", "H", "I"]


@pytest.mark.parametrize("depth", [101, 1_000, 200_000])
@pytest.mark.parametrize("parts", ["[]", "{a: }"])
def test_what_is_nested_without_bounds_is_refused_and_never_a_crash(
    tmp_path: Path, depth: int, parts: str
) -> None:
    text = f"a: {parts[:-1] * depth}$X{parts[-1] * depth}\n"

    with pytest.raises(UsageError, match="YAML nested too deeply") as caught:
        scanned(tmp_path, text)

    assert caught.value.where == "compose.yaml:1"


def test_what_is_nested_as_nobody_writes_it_is_still_read(tmp_path: Path) -> None:
    assert [v.name for v in scanned(tmp_path, f"a: {'[' * 90}$X{']' * 90}\n")] == ["X"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\nb: [hunter2\nc: 2\n", "compose.yaml:"),
        ("a: hunter2\n\tb: 1\n", "compose.yaml:2"),
        ("a: *hunter\n", "compose.yaml:1"),
        ("a: \x01\n", "compose.yaml:"),
        ("a: ${X:0:2}\n", "compose.yaml:1"),
        ("[" * 20000, "compose.yaml"),
    ],
)
def test_a_broken_file_is_refused_with_its_place_and_without_its_text(
    tmp_path: Path, text: str, where: str
) -> None:
    with pytest.raises(UsageError) as caught:
        scanned(tmp_path, text)

    assert caught.value.where.startswith(where)
    assert "hunter" not in str(caught.value)


def test_a_file_that_is_missing_or_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        scan(tmp_path / "none.yaml", "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(UsageError, match=r"latin\.yaml:2: not UTF-8"):
        scan(tmp_path / "latin.yaml", "latin.yaml")


def test_missing_lists_every_required_variable_once(tmp_path: Path) -> None:
    found = scanned(tmp_path, "a: ${A:?a}\nb: ${A:?a}\nc: ${B?b}\nd: ${C:?c}\ne: ${D-d}\n")

    lacking = missing(found, {"B": "", "C": ""}.get)

    assert [(v.name, v.line) for v in lacking] == [("A", 1), ("C", 4)]


def test_a_requirement_inside_an_unused_word_is_not_missing(tmp_path: Path) -> None:
    found = scanned(tmp_path, "a: ${A:-${B:?set A or B}}\n")

    assert missing(found, {"A": "1"}.get) == ()
    assert [v.name for v in missing(found, {"A": ""}.get)] == ["B"]


def test_undefined_lists_plain_uses_that_nobody_sets(tmp_path: Path) -> None:
    found = scanned(tmp_path, "a: $A ${B} ${C:-c} ${D} $A ${C:+$E}\n")

    assert [v.name for v in undefined(found, {"B": ""}.get)] == ["A", "D"]

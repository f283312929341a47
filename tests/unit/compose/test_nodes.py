from __future__ import annotations

import pytest

from invoke_stack.compose.nodes import read
from invoke_stack.errors import UsageError


def test_every_scalar_is_text_with_its_line() -> None:
    root = read("previews:\n  generation: off\nport: 010\nversion: 1.10\n", "render.yaml")

    assert root.get("previews", "generation").text == "off"
    assert root.get("port").text == "010"
    assert root.get("version").text == "1.10"
    assert str(root.get("previews", "generation").here) == "render.yaml:2"
    assert root.get("previews", "generation").src.path == "previews.generation"


def test_a_list_item_knows_its_line_and_place() -> None:
    root = read("a:\n  - b: 1\n  - b: 2\n", "f")

    assert [str(each.src) for each in root.get("a").items] == ["f:2", "f:3"]
    assert root.get("a").items[1].get("b").src.path == "a[1].b"


def test_what_is_not_there_is_empty_and_still_has_a_place() -> None:
    root = read("a:\n  b: ~\n", "f")

    assert not root.get("a", "c", "d")
    assert root.get("a", "b").null
    assert root.get("a", "b").value == ""


def test_anchors_and_merge_keys_are_followed_and_own_keys_win() -> None:
    root = read("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: *x\n", "f")

    assert {key: each.text for key, each in root.get("y").fields.items()} == {"a": "1", "b": "3"}
    assert root.get("z", "a").text == "1"
    assert str(root.get("z").here) == "f:5"


def test_own_tags_are_kept() -> None:
    assert read("a: !reset []\n", "f").get("a").tag == "!reset"


def test_an_empty_file_is_an_empty_node() -> None:
    assert not read("", "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "f:2: broken YAML"),
        ("a:\n\tb: c\n", "f:2: broken YAML"),
        ("a: *x\n", "f:1: *x is used before &x is complete"),
        ("\0", "f: broken YAML"),
        ("[" * 200_000, "f:1: YAML that is nested too deeply"),
        ("- " * 100_000 + "a", "f:1: YAML that is nested too deeply"),
        ("- a\n" * 150_000, "f:100001: YAML that expands without bounds"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, "f")

    assert str(caught.value) == message


def test_a_small_file_that_would_expand_to_billions_is_refused() -> None:
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)]

    with pytest.raises(UsageError, match="expands without bounds"):
        read("a0: &a0 [x, x, x]\n" + "".join(rows), "f")


def test_a_broken_line_is_not_quoted() -> None:
    with pytest.raises(UsageError) as caught:
        read("password: [hunter2\n", "f")

    assert "hunter2" not in f"{caught.value} {caught.value.hint}"

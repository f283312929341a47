from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import wiring

if TYPE_CHECKING:
    from conftest import Examine


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("from invoke_stack import namespace\n\nns = namespace()\n", "ok"),
        ("import invoke_stack\nfrom invoke_stack import namespace\nns = namespace({})\n", "ok"),
        (
            "from invoke_stack.tasks import db\nimport invoke\nns = invoke.Collection(db)\n",
            "ok",
        ),
        ("from invoke_stack import namespace\n\ntasks = namespace()\n", "error"),
        ("from invoke import task\n", "warning"),
        ("def broken(:\n", "error"),
    ],
)
def test_tasks_py_has_to_give_invoke_our_tasks(source: str, state: str) -> None:
    assert wiring.wired("tasks.py", source.encode()).state == state


def test_a_syntax_error_is_told_with_its_line() -> None:
    found = wiring.wired("tasks.py", b"x = 1\ndef broken(:\n")

    assert found.subject == "tasks.py:2"
    assert found.message.startswith("not Python: ")


def test_a_collection_of_another_name_is_told_with_its_line() -> None:
    source = b"from invoke_stack import namespace\n\ntasks = namespace()\n"

    found = wiring.wired("tasks.py", source)

    assert found.message == "the collection is called tasks: Invoke looks for ns"
    assert str(found.where[0]) == "tasks.py:3"


def test_no_tasks_py_and_two_of_them_are_errors(examine: Examine) -> None:
    (none,) = wiring.tasks(examine())
    one = "from invoke_stack import namespace\nns = namespace()\n"
    two = list(wiring.tasks(examine({"tasks.py": one, "tasks/__init__.py": one})))

    assert (none.state, none.fix) == ("error", f"write one: {wiring.ONE_LINE}")
    assert [each.state for each in two] == ["error", "ok"]


def test_a_broken_invoke_yaml_is_told_with_its_line(examine: Examine) -> None:
    (found,) = wiring.settings(examine({"invoke.yaml": "stack:\n  db:\n\tservice: pg\n"}))

    assert (found.state, found.subject) == ("error", "invoke.yaml:3")
    assert found.message.startswith("broken, so that no task of Invoke starts: ")


@pytest.mark.parametrize(
    ("text", "state", "message"),
    [
        ("stack: {}\n", "ok", "readable"),
        ("run: {}\n", "ok", "readable; nothing for us in it"),
        ("", "ok", "readable; nothing for us in it"),
        ("- stack\n", "error", "no mapping: Invoke expects names with values below them"),
    ],
)
def test_an_invoke_yaml_that_can_be_read(
    examine: Examine, text: str, state: str, message: str
) -> None:
    (found,) = wiring.settings(examine({"invoke.yaml": text}))

    assert (found.state, found.message) == (state, message)


def test_only_the_first_settings_file_counts(examine: Examine) -> None:
    first, second = wiring.settings(examine({"invoke.yaml": "", "invoke.json": "{}"}))

    assert first.state == "ok"
    assert (second.state, second.subject) == ("warning", "invoke.json")


def test_no_settings_file_is_fine(examine: Examine) -> None:
    (found,) = wiring.settings(examine())

    assert found.state == "ok"

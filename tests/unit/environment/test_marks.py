from __future__ import annotations

from invoke_stack.environment.marks import marks


def test_marks_stand_in_the_comment_lines_directly_above_a_key() -> None:
    found = marks(
        "# The database.\n"
        "# @required @sensitive\n"
        "# @type=enum(a, b) @generate=hex(32) @example='x y'  and prose\n"
        "A=1\n"
        "B=2\n"
    )

    assert found == {
        "A": {
            "required": "",
            "sensitive": "",
            "type": "enum(a, b)",
            "generate": "hex(32)",
            "example": "x y",
        },
        "B": {},
    }


def test_a_blank_line_ends_the_reach_of_a_mark() -> None:
    assert marks("# @required\n\nA=1\n# @sensitive\r\n\r\n# x\r\nB=\r\n") == {"A": {}, "B": {}}


def test_an_at_sign_in_prose_or_inside_a_value_is_no_mark() -> None:
    text = "# ask me@home or @ops\nA=1\nB='x\n# @required\nC=2'\nD=3 # @required\n"

    assert marks(text) == {"A": {}, "B": {}, "D": {}}


def test_a_key_without_a_value_can_have_marks() -> None:
    assert marks("# @type=port\nexport PORT\n") == {"PORT": {"type": "port"}}

from __future__ import annotations

import pytest

from invoke_stack.compose.interpolation import Reference
from invoke_stack.environment.dotenv import Assignment, parse
from invoke_stack.errors import UsageError


def text_of(line: str) -> str:
    (assignment,) = parse(line.encode(), ".env")
    return "".join(part if isinstance(part, str) else "<ref>" for part in assignment.template or ())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b\n", "b"),
        ("A=b", "b"),
        ("export A = b \n", "b"),
        ("A=\n", ""),
        ("A=''\n", ""),
        ("A=b # c\n", "b"),
        ("A=b#c\n", "b#c"),
        ("A=pa$$ss\n", "pa$ss"),
        ("A='$B ${B'\n", "$B ${B"),
        ("A='it\\'s'\n", "it's"),
        ('A="say \\"x\\"\\n"\n', 'say "x"\n'),
        ('A="pa\\$word"\n', "pa$word"),
        ("A=\\$B\n", "\\<ref>"),
        ('A="${B:-x}"\n', "<ref>"),
        ("A='one\ntwo' # c\n", "one\ntwo"),
        ("\ufeffA=b\r\n", "b"),
        ("# c\n\n  A=b\n", "b"),
        ("a.b-c=1\n", "1"),
    ],
)
def test_a_portable_line_is_read_as_compose_reads_it(line: str, value: str) -> None:
    assert text_of(line) == value


def test_an_assignment_knows_its_line_and_quotes() -> None:
    text = b"# c\r\n\r\nA=\"one\\ntwo\"\r\nB='x\ny'\nC\nD=$A\n"

    assert parse(text, ".env") == (
        Assignment("A", ("one\ntwo",), 3, '"'),
        Assignment("B", ("x\ny",), 4, "'"),
        Assignment("C", None, 6),
        Assignment("D", (Reference("A"),), 7),
    )


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"A=1\nB=hunter2\xe9\n", 2, "not UTF-8"),
        ("A=hunter2\n".encode("utf-16"), 1, "not UTF-8"),
        (b"A=hunter2\0\n", 1, "a NUL character"),
        (b"A=1\rB=hunter2\r", 1, "a carriage return without a line feed"),
        (b'A="hunter2\r\nx"\r\n', 1, "the value of A spans lines that end in CRLF"),
        (b"B=1\nA", 2, "a name without `=` on the last line, which has no line end"),
        (b"A=hunter2\t#c\n", 1, "python-dotenv and Compose read two values of A"),
        (b"A= # hunter2\n", 1, "python-dotenv and Compose read two values of A"),
        (b"A='hunter2\\\\b'\n", 1, "python-dotenv and Compose read two values of A"),
        (b'A="hunter2\\\'b"\n', 1, "python-dotenv and Compose read two values of A"),
        (b'A="hunter2\\0123"\n', 1, "`\\0` in the double-quoted value of A is read in two ways"),
        (b'A="hunter2"c\n', 1, 'text behind the closing " of A'),
        (b"A='it'\\''s hunter2'\n", 1, "text behind the closing ' of A"),
        (b"A='hunter2\nB=1\n", 1, "the ' that opens the value of A is never closed"),
        (b"A: hunter2\n", 1, "`:` in place of `=`"),
        (b"A:hunter2\n", 1, "`:` in place of `=`"),
        (b"1A=hunter2\n", 1, "not an assignment"),
        (b"A B=hunter2\n", 1, "not an assignment"),
        (b"A+=hunter2\n", 1, "not an assignment"),
        (b"=hunter2\n", 1, "not an assignment"),
        (b"'A'=hunter2\n", 1, "not an assignment"),
        (b"A[0]=hunter2\n", 1, "not an assignment"),
        ("CLÉ=hunter2\n".encode(), 1, "not an assignment"),
        (b"hunter2+/==\n", 1, "not an assignment"),
        (b"export # hunter2\n", 1, "not an assignment"),
        (b"export\nA=hunter2\n", 1, "not an assignment"),
        (b"A # hunter2\n", 1, "a comment behind a name without `=`"),
        (b"A=hunter2${B\n", 1, "a `$` starts a reference that Compose does not accept"),
        (b"A=1\nA=hunter2${B:0:2}\n", 2, "a `$` starts a reference that Compose does not accept"),
        (b"A=hunter2\n\nA\n", 3, "A stands here and in line 1, once without `=`"),
        (b"A\nexport A=hunter2\n", 2, "A stands here and in line 1, once without `=`"),
        (b"A=" + b"hunter2" * 18000 + b"\n", 1, "the value of A is longer than 120 KiB"),
    ],
)
def test_a_line_that_readers_disagree_on_is_refused_without_its_value(
    content: bytes, place: int, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse(content, "app/.env")

    assert str(caught.value) == f"app/.env:{place}: {message}"
    assert caught.value.hint
    assert "hunter2" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("key", ["PATH", "HOME", "LD_PRELOAD", "DYLD_X", "DOCKER_HOST", "IFS"])
def test_a_reserved_key_is_refused_unless_allowed(key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} may not be set in an env file"):
        parse(f"{key}=x\n".encode(), ".env")

    assert parse(f"{key}=x\n".encode(), ".env", allow={key})[0].key == key


def test_a_key_that_only_begins_like_a_reserved_one_is_fine() -> None:
    assert len(parse(b"PATH_PREFIX=x\nHOMEPAGE=y\nDOCKER_HOST_IP=z\n", ".env")) == 3

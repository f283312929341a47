"""Where the pieces of an SQL text end, whatever stands inside strings, quotes and comments."""

import io

import pytest

from invoke_stack.database.restoring import sqltext
from invoke_stack.database.restoring.sqltext import Broken, Splitter

TEXT = r"""-- PostgreSQL database dump
\restrict abc
SET standard_conforming_strings = on;
CREATE FUNCTION f() RETURNS text AS $body$ BEGIN; '"$x$ \connect y
-- $body
END $body$ LANGUAGE plpgsql; SELECT 'a;b', "c;""d", E'e\';f''\\', U&'\00e4;' ; /* g; /* h; */ i; */
SELECT a$b$c, 1 AS "\x" ; SELECT $$;$$;
INSERT INTO t VALUES ('several
lines; \connect x
--', 2);
COPY public.t (a, b) FROM stdin;
1	;
\\.	\N

\.
CREATE TABLE x ();
\connect shop
COPY e FROM stdin;
\.
SELECT 1;
"""


class Dripping(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, _size: int | None = -1) -> bytes:
        return super().read(1 + self.tell() % 7)


def kinds(text: str) -> list[tuple[str, str]]:
    found = Splitter(io.BytesIO(text.encode())).pieces()
    return [(each.kind, each.text.decode().strip()) for each in found if each.text.strip()]


def test_pieces_end_where_psql_ends_them() -> None:
    assert [(kind, text[:16]) for kind, text in kinds(TEXT)] == [
        ("statement", "-- PostgreSQL da"),
        ("command", r"\restrict abc"),
        ("statement", "SET standard_con"),
        ("statement", "CREATE FUNCTION "),
        ("statement", "SELECT 'a;b', \"c"),
        ("statement", "/* g; /* h; */ i"),
        ("statement", "SELECT $$;$$;"),
        ("statement", "INSERT INTO t VA"),
        ("statement", "COPY public.t (a"),
        ("rows", "1\t;\n\\\\.\t\\N\n\n\\."),
        ("statement", "CREATE TABLE x ("),
        ("command", r"\connect shop"),
        ("statement", "COPY e FROM stdi"),
        ("rows", "\\."),
        ("statement", "SELECT 1;"),
    ]


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT.rstrip(), "", "\n\n"])
@pytest.mark.parametrize("make", [io.BytesIO, Dripping])
def test_the_pieces_together_are_the_text(text: str, make: type[io.BytesIO]) -> None:
    pieces = list(Splitter(make(text.encode())).pieces())

    assert b"".join(each.text for each in pieces) == text.encode()


def test_lines_are_counted_across_rows() -> None:
    found = {each.text.strip(): each.line for each in Splitter(io.BytesIO(TEXT.encode())).pieces()}

    assert found[b"\\connect shop"] == TEXT[: TEXT.index("\\connect shop")].count("\n") + 1
    assert found[b"SELECT 1;"] == TEXT.count("\n")


def test_a_long_statement_comes_in_parts_that_are_not_kept() -> None:
    long = "INSERT INTO t VALUES\n" + "('x;y'),\n" * 40_000 + "('z');\nSELECT 1;\n"

    pieces = list(Splitter(io.BytesIO(long.encode())).pieces())

    assert max(len(each.text) for each in pieces) < sqltext.LONGEST + 100
    assert [each.kind for each in pieces][:2] == ["statement", "rest"]
    assert pieces[-1].text == b"SELECT 1;\n" or pieces[-2].text == b"SELECT 1;"
    assert b"".join(each.text for each in pieces) == long.encode()


def test_strings_of_old_dumps_have_backslashes() -> None:
    text = "SET standard_conforming_strings = off;\nSELECT 'a\\';b';\nSELECT 2;\n"

    assert kinds(text)[1:] == [("statement", "SELECT 'a\\';b';"), ("statement", "SELECT 2;")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'open",
        "SELECT 1",
        "CREATE FUNCTION f() AS $a$ SELECT 1; $b$;",
        "/* open",
        "COPY t FROM stdin;\n1\n2\n",
        "COPY t FROM stdin;\n1\n\\. \n",
    ],
)
def test_a_text_that_breaks_off_is_told(text: str) -> None:
    with pytest.raises(Broken, match="in the middle"):
        list(Splitter(io.BytesIO(text.encode())).pieces())


@pytest.mark.parametrize("text", ["SELECT 1 \\gexec\n", "SELECT 1; \\! ls\n", "SELECT\n\\! ls\n;"])
def test_a_psql_command_behind_a_statement_is_no_dump(text: str) -> None:
    if text.startswith("SELECT 1;"):
        assert kinds(text)[-1] == ("command", "\\! ls")
        return
    with pytest.raises(Broken, match="a backslash where no dump has one"):
        list(Splitter(io.BytesIO(text.encode())).pieces())

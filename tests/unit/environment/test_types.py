from __future__ import annotations

import pytest

from invoke_stack.environment import specs, types
from invoke_stack.errors import UsageError

FITS = {
    "url": [
        "http://localhost:3000",
        "postgresql+asyncpg://a:b@db:5432/x?schema=public",
        "jdbc:postgresql://db:5432/app",
        "mongodb://u:p@a:1,b:2/x",
        "postgresql://a:p/w@db:5432/x",
        "redis://[::1]:6379/0",
    ],
    "port": ["1", "5432", "65535"],
    "int": ["0", "-3", "+7", "9" * 400],
    "int(min=1,max=9)": ["1", "9"],
    "number": ["1.5", "-2", ".5", "1e3", "2."],
    "bool": ["true", "False", "1", "off"],
    "enum(a, b)": ["a", "b"],
    "email": ["a@b", "a.b+c@example.com"],
    "string": ["", "anything at all"],
    "string(min=2,max=3)": ["ab", "äöü"],
}
DOES_NOT = {
    "url": ["localhost:3000", "http://", "http://a b", "http://h:x/", "http://h:0/", "://h"],
    "port": ["0", "65536", "-1", "80x", "", "٣", " 80", "1" * 500],
    "int": ["1.5", "", "x", "1_000", "٣"],
    "int(min=1,max=9)": ["0", "10"],
    "number": ["", "1,5", "nan", "inf", "0x1"],
    "bool": ["ja", "", "2"],
    "enum(a, b)": ["c", "", "A"],
    "email": ["a", "a@", "@b", "a b@c", "a@b..c"],
    "string(min=2,max=3)": ["a", "abcd"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in FITS.items() for v in vs])
def test_a_value_of_the_type_has_no_problem(name: str, value: str) -> None:
    assert types.parse(name, "f:1").problem(value) == ""


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in DOES_NOT.items() for v in vs])
def test_a_value_of_another_type_is_told_without_the_value(name: str, value: str) -> None:
    problem = types.parse(name, "f:1").problem(value)

    assert problem
    assert len(value) < 3 or value not in problem


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("prot", "no such type: prot", "did you mean port?"),
        ("", "no such type: (empty)", "known: url, port"),
        ("enum", "an enum without options", "write @type=enum(a,b)"),
        ("string(mni=8)", "not an argument of the type string", "write @type=string(min=1,max=64)"),
        ("port(min=1)", "not an argument of the type port", "write @type=port"),
        ("int(min=a)", "not an argument of the type int", "write @type=int(min=1,max=64)"),
    ],
)
def test_a_mistake_in_a_type_is_told_with_its_line(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        types.parse(text, ".env.example:3")

    assert str(caught.value) == f".env.example:3: {message}"
    assert caught.value.hint.startswith(hint)


def test_an_unknown_mark_names_its_line_and_the_nearest_one() -> None:
    with pytest.raises(UsageError) as caught:
        specs.specs("# One.\n# @requird\nA=1\n", ".env.example")

    assert str(caught.value) == ".env.example:2: no such mark: @requird"
    assert caught.value.hint.startswith("did you mean @required?")


def test_marks_of_the_wider_family_are_left_alone() -> None:
    assert specs.specs("# @docs=https://example.com\nA=1\n", "f")["A"].required is False


def test_marks_say_what_a_key_needs() -> None:
    found = specs.specs(
        "# @required @sensitive @generate=base62(24)\n# @type=string(min=8)\nA=\n"
        "# @public\nAPI_KEY=x\n# @sensitive=false\nSECRET=y\n",
        "f",
    )

    assert (found["A"].required, found["A"].sensitive, found["A"].type_line) == (True, True, 2)
    assert found["A"].generate is not None
    assert found["A"].generate.name == "base62"
    assert (found["API_KEY"].sensitive, found["SECRET"].sensitive) == (False, False)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("PORT=3000", "port"),
        ("WEB_PORT=", "port"),
        ("SITE_URL=http://x", "url"),
        ("DEBUG=True", "bool"),
        ("NAME=x", None),
        ("SUPPORT=x", None),
    ],
)
def test_a_plain_line_implies_a_type(line: str, kind: str | None) -> None:
    (spec,) = specs.specs(f"{line}\n", "f").values()

    assert (spec.type.name if spec.type else None) == kind
    assert bool(spec.type_reason) == (kind is not None)


@pytest.mark.parametrize(
    "line",
    [
        "JWT_SECRET=",
        "POSTGRES_PASSWORD=changeme",
        "SESSION_SECRET=<secret>",
        "SECRET_KEY_BASE=your-secret-here",
        "ADMIN_PASSWORD=ADMIN_PASSWORD",
        "APP_KEY=xxxxx",
    ],
)
def test_a_plain_secret_without_a_real_value_is_generated(line: str) -> None:
    (spec,) = specs.specs(f"{line}\n", "f").values()

    assert spec.generate is not None
    assert spec.sensitive


@pytest.mark.parametrize(
    "line",
    [
        "STRIPE_SECRET_KEY=",
        "OPENAI_API_KEY=",
        "GOOGLE_CLIENT_SECRET=your-secret-here",
        "SMTP_PASSWORD=",
        "SENTRY_DSN=",
        "POSTGRES_PASSWORD=split_dev",
        "# @sensitive\nJWT_SECRET=",
        "NEXT_PUBLIC_TOKEN=",
        "NAME=",
    ],
)
def test_what_someone_else_gives_out_or_a_person_chose_is_not_generated(line: str) -> None:
    (spec,) = specs.specs(f"{line}\n", "f").values()

    assert spec.generate is None


def test_a_type_shown_in_full_keeps_its_template_line() -> None:
    spec = specs.specs("# text\n\nWEB_PORT=3000\n", "f")["WEB_PORT"]

    assert (spec.line, spec.type_line) == (3, 3)

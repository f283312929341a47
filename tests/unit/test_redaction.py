from __future__ import annotations

import pytest

from invoke_stack.redaction import Redactor, is_sensitive, masked


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SESSION_SECRET", "x"),
        ("api_token", "x"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("DB_PASS", "x"),
        ("OPENAI_API_KEY", None),
        ("SENTRY_DSN", "https://k@o1.ingest/1"),
        ("SLACK_WEBHOOK_URL", "https://hooks/T0"),
        ("DATABASE_URL", "postgresql://u:p@h/d"),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@ss/w@h:5432/d"),
        ("REDIS_URL", "redis://:pw@h:6379/0"),
        ("JDBC_URL", "jdbc:postgresql://h/d?user=u&password=p"),
        ("NODES", "redis://h1:6379,redis://:pw@h2:6379"),
        ("X", "-----BEGIN PRIVATE KEY-----\nMII"),
        ("X", "ghp_abc"),
        ("X", "xoxb-1"),
        ("X", "eyJhbGciOi"),
        ("X", "AKIA1234"),
        ("X", "sk_live_1"),
        ("NEXT_PUBLIC_X", "sk_live_1"),
    ],
)
def test_a_secret_is_known_by_its_name_or_by_its_form(key: str, value: str | None) -> None:
    assert is_sensitive(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "3000"),
        ("PWD", "/home/me"),
        ("NEXT_PUBLIC_TOKEN", "x"),
        ("JWT_PUBLIC_KEY", "x"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("TOKEN_TTL", "60"),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/pw"),
        ("COMPASS", "n"),
        ("DATABASE_URL", "postgresql://user@h/d"),
        ("SITE_URL", "http://localhost:3000/users/@me"),
        ("EMPTY", ""),
        ("UNSET", None),
    ],
)
def test_an_ordinary_value_is_not_a_secret(key: str, value: str | None) -> None:
    assert not is_sensitive(key, value)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("PORT", "3000", "3000"),
        ("PORT", "", "(empty)"),
        ("API_TOKEN", "", "(empty)"),
        ("API_TOKEN", "x" * 43, "(set, 43 chars)"),
        ("DATABASE_URL", "postgresql://u:p%40w@h:5432/d?a=b", "postgresql://u:***@h:5432/d?a=b"),
        ("DATABASE_URL", "postgresql://u:p@w@h/d", "postgresql://u:***@h/d"),
        ("X_DSN", "mysql://u:p@h/d", "mysql://u:***@h/d"),
        ("SENTRY_DSN", "https://key@host/1", "(set, 18 chars)"),
        ("HOOK_SECRET", "https://u:p@hooks/T0", "(set, 20 chars)"),
        ("JDBC_URL", "jdbc:x://h/d?user=u&password=p&z=1", "jdbc:x://h/d?user=u&password=***&z=1"),
        ("NODES", "redis://:a1@h1,redis://:b2@h2", "redis://:***@h1,redis://:***@h2"),
    ],
)
def test_people_see_no_more_than_they_need(key: str, value: str, shown: str) -> None:
    assert masked(key, value) == shown


def test_a_mark_makes_any_value_a_secret() -> None:
    assert masked("CODE", "1234", sensitive=True) == "(set, 4 chars)"


def test_every_form_of_a_secret_is_replaced() -> None:
    redactor = Redactor(["p@ss w$rd", "postgresql://u:hunter%2F2@h/d"])

    shown = redactor.text(
        "a p@ss w$rd b p%40ss%20w%24rd c p@ss w$$rd d hunter%2F2 e hunter/2 "
        "f postgresql://u:hunter%2F2@h/d"
    )

    assert shown == "a *** b *** c *** d *** e *** f ***"


def test_a_longer_secret_is_replaced_before_its_own_beginning() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcd") == "*** ***"


def test_the_lines_of_a_key_are_replaced_on_their_own() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----\n"

    assert Redactor([key]).text("log: MIIEvQIBADANBgkqhkiG9w0") == "log: ***"
    assert Redactor([key]).text(f"'{key}'") == "'***'"


def test_a_secret_in_json_is_replaced() -> None:
    assert Redactor(['qu"o\nte']).text(r'{"a": "qu\"o\nte"}') == '{"a": "***"}'


def test_very_short_secrets_are_left_alone() -> None:
    assert Redactor(["db", "", "dev"]).text("db dev") == "db dev"


def test_adding_a_secret_leaves_the_first_redactor_as_it_was() -> None:
    first = Redactor(["alpha"])
    second = first.add("bravo")

    assert first.text("alpha bravo") == "*** bravo"
    assert second.text("alpha bravo") == "*** ***"


def test_a_redactor_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(Redactor(["hunter2"]))


def test_a_long_value_is_judged_at_once() -> None:
    assert not is_sensitive("X", "x" * 120_000)
    assert not is_sensitive("X", "a://" * 10_000)


def test_a_secret_that_is_not_utf8_is_replaced_too() -> None:
    assert Redactor(["p\udcffss"]).text("a p\udcffss") == "a ***"


def test_a_secret_that_is_part_of_a_public_name_leaves_the_name_readable() -> None:
    redactor = Redactor(["postgres", "hunter2000"]).allow("postgres:16-alpine", "db")

    assert redactor.text("postgres is up, hunter2000") == "postgres is up, ***"


def test_a_weak_secret_is_hidden_as_a_word_and_not_inside_other_words() -> None:
    redactor = Redactor(["admin"])

    assert redactor.text("pgadmin at http://root:admin@db") == "pgadmin at http://root:***@db"

"""Prisma's argument lists by version."""

from __future__ import annotations

from invoke_stack.database.migrating import Development
from invoke_stack.prisma import calls


def test_options_of_develop_fit_the_version() -> None:
    wanted = Development("add", create_only=True)
    assert calls.development(wanted, 7) == ("--name", "add", "--create-only")
    assert calls.development(wanted, 6) == ("--name", "add", "--create-only", "--skip-seed")


def test_the_comparison_with_the_schema_is_spelled_for_each_version() -> None:
    assert calls.schema_difference("s", 7) == (
        *("migrate", "diff", "--from-config-datasource", "--to-schema", "s", "--exit-code"),
    )
    assert calls.schema_difference("s", 6) == (
        *("migrate", "diff", "--from-schema-datasource", "s"),
        *("--to-schema-datamodel", "s", "--exit-code"),
    )
    assert calls.schema_difference("s", 7, back=True) == (
        *("migrate", "diff", "--from-schema", "s", "--to-config-datasource", "--exit-code"),
    )


def test_studio_opens_no_browser_and_stays_on_the_loopback() -> None:
    assert calls.studio(5555, 7) == ("--port", "5555", "--browser", "none")
    assert calls.studio(5555, 6) == (*calls.studio(5555, 7), "--hostname", "127.0.0.1")


def test_a_migration_is_recorded_as_it_ended() -> None:
    assert calls.resolve("m", applied=True) == ("migrate", "resolve", "--applied", "m")
    assert calls.resolve("m", applied=False) == ("migrate", "resolve", "--rolled-back", "m")

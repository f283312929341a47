from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from invoke_stack.errors import ExitCode, UsageError
from invoke_stack.settings import (
    AcceptSettings,
    DbSettings,
    KeepSettings,
    ModeSettings,
    Settings,
    Source,
    from_environ,
    load,
)


def loaded(*values: dict[str, Any]) -> Settings:
    return load([Source(f"source {number}", each) for number, each in enumerate(values)])


def from_variables(**environ: str) -> Settings:
    return load(list(from_environ(environ)))


def test_no_settings_are_the_defaults() -> None:
    settings = load([])

    assert settings == Settings()
    assert settings.mode == "dev"
    assert settings.db.directory == "backups"
    assert settings.override is True


def test_sources_are_merged_deeply_and_the_last_one_wins() -> None:
    settings = loaded(
        {"mode": "test", "db": {"service": "pg", "user": "app"}},
        {"db": {"service": "postgres"}},
    )

    assert settings.mode == "test"
    assert settings.db == DbSettings(service="postgres", user="app")


def test_a_list_replaces_the_one_below() -> None:
    settings = loaded({"compose": {"files": ["a", "b"]}}, {"compose": {"files": ["c"]}})

    assert settings.compose.files == ("c",)


def test_nothing_written_after_a_key_leaves_the_default() -> None:
    assert loaded({"db": {"service": None}}).db.service == ""


def test_nothing_written_after_a_section_leaves_its_defaults() -> None:
    assert loaded({"db": None}) == Settings()


def test_an_empty_section_leaves_what_stands_below_it() -> None:
    settings = loaded({"db": {"service": "pg"}, "mode": "test"}, {"db": None, "mode": None})

    assert (settings.db.service, settings.mode) == ("pg", "test")


def test_merging_does_not_change_what_it_was_given() -> None:
    low: dict[str, Any] = {"db": {"user": "app"}}

    loaded(low, {"db": {"user": "other"}})

    assert low == {"db": {"user": "app"}}


def test_an_unknown_key_names_its_source_and_the_nearest_key() -> None:
    with pytest.raises(UsageError) as caught:
        load([Source("invoke.yaml", {"db": {"servce": "pg"}})])

    assert str(caught.value) == "invoke.yaml: stack.db.servce: unknown setting"
    assert caught.value.hint == "did you mean stack.db.service?"
    assert caught.value.code == ExitCode.USAGE


def test_an_unknown_key_that_is_near_to_nothing_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        loaded({"zzz": 1})

    assert "stack.compose, stack.db" in caught.value.hint


def test_a_key_that_is_no_text_is_unknown_too() -> None:
    with pytest.raises(UsageError, match=r"stack\.5: unknown setting"):
        load([Source("invoke.yaml", {5: "x"})])  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": 5}, "stack.mode: expected a text, found a number"),
        ({"timeout": "5"}, "stack.timeout: expected a number, found a text"),
        ({"timeout": True}, "stack.timeout: expected a number, found true or false"),
        ({"override": 1}, "stack.override: expected true or false, found a number"),
        ({"override": "false"}, "stack.override: expected true or false, found a text"),
        ({"db": "pg"}, "stack.db: expected a mapping, found a text"),
        ({"db": ["pg"]}, "stack.db: expected a mapping, found a list"),
        ({"db": {"name": {}}}, "stack.db.name: expected a text, found a mapping"),
        ({"compose": {"files": "a"}}, "stack.compose.files: expected a list, found a text"),
        ({"compose": {"files": {"a": 1}}}, "stack.compose.files: expected a list, found a mapping"),
        ({"compose": {"files": ["a", 1]}}, "stack.compose.files: expected a text, found a number"),
        ({"modes": []}, "stack.modes: expected a mapping, found a list"),
        ({"modes": {"qa": "x"}}, "stack.modes.qa: expected a mapping, found a text"),
        ({"modes": {"qa": {"node": 1}}}, "stack.modes.qa.node: expected a text, found a number"),
        ({"modes": {"qa": {"file": []}}}, "stack.modes.qa.file: unknown setting"),
    ],
)
def test_a_wrong_value_names_source_path_and_kind(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load([Source("invoke.yaml", values)])

    assert str(caught.value) == f"invoke.yaml: {message}"


def test_a_wrong_value_is_an_error_even_when_a_higher_source_is_right() -> None:
    with pytest.raises(UsageError, match="source 0"):
        loaded({"mode": 5}, {"mode": "dev"})


def test_a_wrong_value_is_never_shown() -> None:
    with pytest.raises(UsageError) as caught:
        loaded({"db": {"user": ["canary"]}})

    assert "canary" not in f"{caught.value}{caught.value.hint}{caught.value.detail}"


def test_modes_are_settings_by_name() -> None:
    settings = loaded(
        {"modes": {"qa": {"layers": [".env", ".env.qa"], "node": "production"}}},
        {"modes": {"qa": {"profiles": ["qa"]}, "dev": {"files": ["dev.yml"]}}},
    )

    assert settings.modes == {
        "qa": ModeSettings(layers=(".env", ".env.qa"), node="production", profiles=("qa",)),
        "dev": ModeSettings(files=("dev.yml",)),
    }


def test_a_mode_without_anything_below_it_has_defaults() -> None:
    assert loaded({"modes": {"qa": None}}).modes == {"qa": ModeSettings()}


def test_objects_are_handed_through() -> None:
    provider = object()

    assert loaded({"db": {"providers": [provider, "x:Y"]}}).db.providers == (provider, "x:Y")


@pytest.mark.parametrize("text", ["false", "False", "no", "off", "0", ""])
def test_a_variable_that_says_no_means_no(text: str) -> None:
    assert from_variables(INVSTACK_OVERRIDE=text).override is False


@pytest.mark.parametrize("text", ["true", "TRUE", "yes", "on", "1"])
def test_a_variable_that_says_yes_means_yes(text: str) -> None:
    assert from_variables(INVSTACK_OVERRIDE=text).override is True


def test_a_variable_is_cast_to_the_type_of_its_setting() -> None:
    settings = from_variables(
        INVSTACK_DB_SERVICE="pg",
        INVSTACK_DB_TIMEOUT="90",
        INVSTACK_TIMEOUT="5",
        INVSTACK_DB_NAME="123",
        INVSTACK_COMPOSE_FILES=" a.yml, b.yml ,,",
        INVSTACK_COMPOSE_PROFILES="",
    )

    assert settings.db == DbSettings(service="pg", timeout=90, name="123")
    assert settings.timeout == 5
    assert settings.compose.files == ("a.yml", "b.yml")
    assert settings.compose.profiles == ()


def test_a_variable_wins_over_a_file() -> None:
    file = Source("invoke.yaml", {"db": {"service": "pg", "user": "app"}})

    settings = load([file, *from_environ({"INVSTACK_DB_SERVICE": "other"})])

    assert settings.db == DbSettings(service="other", user="app")


def test_other_variables_are_not_read() -> None:
    assert list(from_environ({"INVOKE_STACK_MODE": "x", "PATH": "/bin", "STACK_MODE": "y"})) == []


def test_an_unknown_variable_names_the_nearest_one() -> None:
    with pytest.raises(UsageError) as caught:
        from_variables(INVSTACK_DB_SERVCE="pg")

    assert str(caught.value) == "environment: INVSTACK_DB_SERVCE: unknown setting"
    assert caught.value.hint == "did you mean INVSTACK_DB_SERVICE?"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("INVSTACK_DB_TIMEOUT", "soon", "expected a number, found another text"),
        ("INVSTACK_DB_TIMEOUT", "", "expected a number, found another text"),
        ("INVSTACK_DB_TIMEOUT", "²", "expected a number, found another text"),
        ("INVSTACK_DB_TIMEOUT", "-1", "expected a number, found another text"),
        ("INVSTACK_OVERRIDE", "maybe", "expected true or false, found another text"),
    ],
)
def test_a_text_that_the_type_does_not_accept_names_the_variable(
    name: str, text: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        from_variables(**{name: text})

    assert str(caught.value) == f"{name}: {message}"
    assert caught.value.hint.startswith(f"for example: {name}=")


@pytest.mark.parametrize("number", ["9" * 5000, "1000000001"])
def test_a_number_that_nobody_can_mean_is_refused(number: str) -> None:
    with pytest.raises(UsageError, match="expected a number from 0 to 1000000000"):
        from_variables(INVSTACK_TIMEOUT=number)


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(UsageError, match=r"stack\.timeout: expected a number from 0"):
        loaded({"timeout": -5})


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        loaded({"engine": "podman"})

    assert str(caught.value) == "source 0: stack.engine: no such choice"
    assert caught.value.hint == "choices: auto, docker, embedded"


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"compose": {"files": "a.yml"}}, "for example: files: [first, second]"),
        ({"timeout": "5"}, "for example: timeout: 60"),
        ({"override": 1}, "for example: override: true"),
        ({"mode": 5}, 'for example: mode: "…"'),
        ({"db": "pg"}, "for example: db: with its own settings below it"),
    ],
)
def test_a_value_of_the_wrong_type_shows_one_that_works(values: dict[str, Any], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(values)

    assert caught.value.hint.startswith(hint)


def test_every_setting_has_a_sentence_for_the_docs() -> None:
    import dataclasses

    nested = {"compose", "env", "db", "cache", "embedded", "image", "keep", "parity"}
    for kind in (Settings, DbSettings, KeepSettings, ModeSettings):
        for item in dataclasses.fields(kind):
            assert "help" in item.metadata or item.name in nested


def test_what_parity_is_told_reads_as_plain_mappings_and_lists() -> None:
    parity = loaded(
        {
            "parity": {
                "map": {"api": "backend"},
                "facts": {"postgres_major": 16},
                "accept": [{"rule": "PAR203", "reason": "later", "until": date(2026, 12, 31)}],
            }
        }
    ).parity

    assert parity.map == {"api": "backend"}
    assert parity.facts == {"postgres_major": 16}
    assert parity.accept == (AcceptSettings("PAR203", reason="later", until="2026-12-31"),)


def test_an_accepted_finding_with_an_unknown_key_is_refused_with_its_place() -> None:
    with pytest.raises(UsageError) as caught:
        loaded({"parity": {"accept": [{"rule": "PAR203"}, {"rul": "PAR204"}]}})

    assert str(caught.value) == "source 0: stack.parity.accept[1].rul: unknown setting"


def test_a_list_of_mappings_has_no_variable() -> None:
    with pytest.raises(UsageError, match="unknown setting"):
        from_variables(INVSTACK_PARITY_ACCEPT="PAR203")

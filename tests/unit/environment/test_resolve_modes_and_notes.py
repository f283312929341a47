from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from invoke_stack.compose.variables import Variable
from invoke_stack.environment.resolve import ResolvedEnv
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

Resolve = Callable[..., ResolvedEnv]
BASE, DEV, PROD = find("base"), find("dev"), find("prod")


def used(name: str, default: str | None = None, line: int = 1, operator: str = "") -> Variable:
    return Variable(
        name, operator or ("" if default is None else ":-"), default, None, "c.yaml", line
    )


# Compose


def test_a_compose_default_is_shown_with_its_place_and_never_exported(resolved: Resolve) -> None:
    env = resolved(
        {".env": "TAG=1\n"},
        variables=(used("PORT", line=2), used("PORT", "30${TAG}", 5), used("TAG", "x", 7)),
    )

    port = env.values["PORT"]
    assert (port.text, port.origin, port.file, port.line) == ("301", "compose", "c.yaml", 5)
    assert port.references == ("TAG",)
    assert env.values["TAG"].origin == "file"
    assert env.exported() == {"TAG": "1"}


def test_a_compose_variable_without_value_is_listed_as_unset(resolved: Resolve) -> None:
    env = resolved({}, variables=(used("X", line=4), used("Y", "${Z:?m}", 5)))

    assert env.values["X"].text is None
    assert str(env.values["X"].place) == "c.yaml:4"
    assert env.values["Y"].text is None


def test_two_defaults_of_one_variable_are_said(resolved: Resolve) -> None:
    env = resolved({}, variables=(used("P", "1", 2), used("P", "2", 9), used("P", "3", 12)))

    assert env.notes == ("P has different defaults in c.yaml:2 and c.yaml:9",)
    assert resolved({}, {"P": "x"}, variables=(used("P", "1"), used("P", "2"))).notes == ()


# Modes


def test_node_env_follows_the_mode_and_says_what_it_overrules(resolved: Resolve) -> None:
    env = resolved({".env": "X=1\nNODE_ENV=test\n"}, {"NODE_ENV": "production"}, mode=DEV)

    value = env.values["NODE_ENV"]
    assert (value.text, value.origin) == ("development", "mode")
    assert env.exported()["NODE_ENV"] == "development"
    assert env.notes == (
        "NODE_ENV is development, as the mode says, not as the process environment",
        "NODE_ENV is development, as the mode says, not as .env:2",
    )


def test_node_env_is_the_modes_where_nobody_else_names_it(resolved: Resolve) -> None:
    env = resolved({".env": "A=$NODE_ENV\n"}, mode=PROD)

    assert env.exported() == {"A": "production", "NODE_ENV": "production"}
    assert env.notes == ()


def test_set_outranks_the_modes_node_env(resolved: Resolve) -> None:
    assert resolved({}, {}, {"NODE_ENV": "x"}, mode=DEV).exported() == {"NODE_ENV": "x"}
    assert resolved({".env": "NODE_ENV=x\n"}, mode=BASE).exported() == {"NODE_ENV": "x"}


@pytest.mark.parametrize(
    ("files", "environ", "where"),
    [
        ({}, {"APP_ENV": "development"}, "the process environment"),
        ({".env": "A=1\nAPP_ENV=dev\n"}, {}, ".env:2"),
    ],
)
def test_an_app_env_that_contradicts_the_mode_is_refused(
    resolved: Resolve, files: Mapping[str, str], environ: Mapping[str, str], where: str
) -> None:
    with pytest.raises(UsageError, match="APP_ENV contradicts the mode prod") as caught:
        resolved(files, environ, mode=PROD)

    assert caught.value.where == where
    assert caught.value.hint == "unset APP_ENV, or use --dev"


@pytest.mark.parametrize("value", ["prod", "production", "Production", "", " prod "])
def test_an_app_env_that_says_the_same_is_fine(resolved: Resolve, value: str) -> None:
    assert resolved({}, {"APP_ENV": value}, mode=PROD).mode == "prod"


def test_app_env_is_no_contradiction_for_base_or_when_set_on_the_command_line(
    resolved: Resolve,
) -> None:
    assert resolved({}, {"APP_ENV": "production"}, mode=BASE).mode == "base"
    assert resolved({}, {}, {"APP_ENV": "dev"}, mode=PROD).exported()["APP_ENV"] == "dev"


def test_env_local_over_the_modes_own_file_is_said_in_production(resolved: Resolve) -> None:
    files = {".env": "A=0\nB=0\n", ".env.production": "A=1\n", ".env.local": "A=2\nB=2\n"}

    assert resolved(files, mode=PROD).notes == (
        "A comes from .env.local:1, which shadows .env.production:1",
    )
    files = {".env": "A=0\n", ".env.development": "A=1\n", ".env.local": "A=2\n"}
    assert resolved(files, mode=DEV).notes == ()


# Secrets and summary


def test_secrets_are_known_by_name_form_mark_and_reference(resolved: Resolve) -> None:
    env = resolved(
        {
            ".env": "DB_PASSWORD=hunter2\nDB=postgres://u:${DB_PASSWORD}@h\nNEAR=x-$DB_PASSWORD\n"
            "FAR=$NEAR\n# @sensitive\nMARKED=1234\nPORT=80\nHAS=${DB_PASSWORD:+yes}\nOTHER=tmpl\n",
        },
        templates_marks={"OTHER": {"sensitive": ""}},
    )

    assert {key for key, value in env.values.items() if value.sensitive} == {
        "DB_PASSWORD", "DB", "NEAR", "FAR", "MARKED", "OTHER",
    }  # fmt: skip
    assert env.secrets() == (
        "hunter2", "postgres://u:hunter2@h", "x-hunter2", "1234", "tmpl",
    )  # fmt: skip
    assert "hunter2" not in repr(env)


def test_counts_tell_files_by_name(resolved: Resolve) -> None:
    env = resolved(
        {".env": "A=1\nB=2\nC\n", ".env.local": "B=3\n"},
        {"P": "1"},
        {"S": "1"},
        mode=DEV,
        variables=(used("P"), used("D", "1"), used("N")),
    )

    assert env.counts() == {
        ".env": 1, ".env.local": 1, "process": 1, "compose": 1, "set": 1, "mode": 1,
    }  # fmt: skip
    assert env.layers == (".env", ".env.local")


@pytest.mark.parametrize("key", ["", "A B", "1A", "A="])
def test_an_override_needs_a_name(resolved: Resolve, key: str) -> None:
    with pytest.raises(UsageError, match="not a variable name"):
        resolved({}, {}, {key: "x"})


def test_an_override_that_no_process_can_take_is_refused(resolved: Resolve) -> None:
    with pytest.raises(UsageError, match="the value of A cannot be handed"):
        resolved({}, {}, {"A": "x" * 130_000})

from __future__ import annotations

import pytest

from invoke_stack.errors import ExitCode, UsageError
from invoke_stack.modes import BUILT_IN, Mode, find, normalised


@pytest.mark.parametrize(
    ("name", "layers", "node"),
    [
        (
            "dev",
            (".env", ".env.development", ".env.local", ".env.development.local"),
            "development",
        ),
        ("test", (".env", ".env.test", ".env.test.local"), "test"),
        ("staging", (".env", ".env.staging", ".env.local", ".env.staging.local"), "production"),
        ("prod", (".env", ".env.production", ".env.local", ".env.production.local"), "production"),
        ("base", (".env", ".env.local"), ""),
    ],
)
def test_built_in_modes_rank_env_files_as_next_and_rails_do(
    name: str, layers: tuple[str, ...], node: str
) -> None:
    mode = find(name)

    assert (mode.layers, mode.node) == (layers, node)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("production", "prod"),
        ("Production", "prod"),
        ("PROD", "prod"),
        (" development ", "dev"),
        ("stage", "staging"),
        ("Test", "test"),
        ("base", "base"),
        ("Preview", "preview"),
    ],
)
def test_any_spelling_has_one_short_name(spelling: str, name: str) -> None:
    assert normalised(spelling) == name


def test_a_mode_is_found_by_its_aliases() -> None:
    assert find("development") is find("dev")


def test_the_projects_own_mode_is_found_as_it_is_written() -> None:
    preview = Mode("Preview", (".env", ".env.preview"), ("Preview",))

    assert find("Preview", [preview]) is preview


def test_the_projects_own_mode_wins_over_a_built_in_one() -> None:
    own = Mode("dev", (".env",), ("dev", "development"))

    assert find("development", [own]) is own


def test_an_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="--mode qa: no such mode") as caught:
        find("qa", [Mode("preview", (".env",), ())])

    assert caught.value.code == ExitCode.USAGE
    assert caught.value.hint == "modes: dev, test, staging, prod, base, preview"


def test_no_two_built_in_modes_share_a_name() -> None:
    names = [name for mode in BUILT_IN for name in {mode.name, *mode.aliases}]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "flag", "suffix"),
    [
        ("dev", "--dev", ""),
        ("prod", "--prod", " --prod"),
        ("base", "--mode base", " --mode base"),
        ("e2e", "--mode e2e", " --mode e2e"),
    ],
)
def test_a_mode_is_named_as_the_command_line_takes_it(name: str, flag: str, suffix: str) -> None:
    mode = Mode(name, (".env",), ())

    assert (mode.flag, mode.suffix) == (flag, suffix)

"""What we hand over, and what we read, measured with the real Compose (no engine needed)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoke_stack.environment.dotenv import parse
from invoke_stack.environment.handover import compose_environ, env_file_text
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.resolve import resolve
from invoke_stack.environment.values import ResolvedEnv, Value
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

Config = Callable[..., dict[str, dict[str, str | None]]]

NASTY: list[str] = json.loads((Path(__file__).parents[2] / "data/nasty-values.json").read_text())


def nasty_env() -> ResolvedEnv:
    values = {f"K{i}": Value(f"K{i}", text, "set") for i, text in enumerate(NASTY)}
    return ResolvedEnv("dev", (), values)


def test_every_nasty_value_reaches_a_container_through_the_process_environment(
    compose_config: Config, tmp_path: Path
) -> None:
    env = nasty_env()
    (tmp_path / "stack").mkdir()
    # Must not be read: it would break the call and bring its own value of K0.
    (tmp_path / "stack" / ".env").write_text("K0=other\nLEAK=1\nthis line is broken\n")

    found = compose_config(
        {
            "named": {"environment": [*env.values, "LEAK"]},
            "filled": {"environment": {key: f"${{{key}}}" for key in env.values}},
        },
        compose_environ({}, env),
    )

    assert found["named"] == {**env.exported(), "LEAK": None}
    assert found["filled"] == env.exported()


def test_every_nasty_value_reaches_a_container_through_a_generated_file(
    compose_config: Config, tmp_path: Path
) -> None:
    env = nasty_env()
    path = tmp_path / "generated.env"
    path.write_bytes(env_file_text(env.exported()).encode())

    assert compose_config({"s": {"env_file": [str(path)]}}, {})["s"] == env.exported()


def test_random_values_reach_a_container_through_a_generated_file(
    compose_config: Config, tmp_path: Path
) -> None:
    source = random.Random(20261120)  # noqa: S311 - a repeatable sequence
    values = {
        f"K{i}": "".join(source.choices("$$\\\\\"'{}A#= \n\r\tn:-é", k=source.randint(0, 12)))
        for i in range(1000)
    }
    path = tmp_path / "generated.env"
    path.write_bytes(env_file_text(values).encode())

    assert compose_config({"s": {"env_file": [str(path)]}}, {})["s"] == values


TOKENS = [
    *"ABC=='\"\\$#: \t{}-+?x01\n", "\n", "\n", "A=", "B=", "\nC=", "${A}", "$B", "${C:-", "}", "$$",
    "export ", " # c", "\\$", "\\n", "\\\\", "\\'", '\\"', "\\0", "\\a", "\r\n", "é", "\u00a0",
    "\u2003", "\x1c", "\v", "''", '""', "\\c", "${B:+", "${A-", "\ufeff", "\u017f", "{}",
]  # fmt: skip


def accepted(text: str) -> dict[str, str | None] | None:
    try:
        layer = Layer(".env", Path(".env"), parse(text.encode(), ".env"))
        resolved = resolve(find("base"), [layer], {}, {})
    except UsageError:
        return None
    return {key: value.text for key, value in resolved.values.items() if value.text is not None}


def refused_at(data: bytes) -> str:
    try:
        parse(data, "x.env")
    except UsageError as error:
        return error.where
    return "nowhere"


@given(st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(TOKENS)).map("".join)))
@settings(max_examples=1500, deadline=None, database=None, derandomize=True)
def test_any_input_is_read_or_refused_with_a_place(content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()

    assert refused_at(data).startswith(("x.env:", "nowhere"))


def random_files(seed: int, count: int) -> list[tuple[str, dict[str, str | None]]]:
    source = random.Random(seed)  # noqa: S311 - a repeatable sequence
    found: list[tuple[str, dict[str, str | None]]] = []
    while len(found) < count:
        lines = [
            source.choice(["A=", "B=", "C=", "D =", "export E=", "F= "])
            + source.choice(["", "'", '"', '"'])
            + "".join(source.choices(TOKENS, k=source.randint(0, 8)))
            for _ in range(source.randint(1, 5))
        ]
        closed = [line + line.partition("=")[2].strip()[:1] for line in lines]
        text = "\n".join(source.choice([lines, closed, closed])) + "\n"
        values = accepted(text)
        # Required variables: newer versions of Compose look at fewer of them.
        if values and "?" not in text:
            found.append((text, values))
    return found


@pytest.mark.parametrize("seed", range(9))
def test_random_files_that_we_accept_read_as_in_compose(
    seed: int, compose_config: Config, tmp_path: Path
) -> None:
    files = random_files(seed, 60)
    services = {}
    for number, (text, _) in enumerate(files):
        path = tmp_path / f"{number}.env"
        path.write_bytes(text.encode())
        services[f"s{number}"] = {"env_file": [str(path)]}

    found = compose_config(services, {})

    for number, (text, values) in enumerate(files):
        # A key without `=` that nobody sets: Compose lists it, without a value.
        seen = {key: value for key, value in found[f"s{number}"].items() if value is not None}
        assert seen == values, text

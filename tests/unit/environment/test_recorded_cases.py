"""Every recorded case that we accept gives Compose's value; the others are refused by intent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.environment.dotenv import parse
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.resolve import resolve
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

CASES = json.loads(
    (Path(__file__).parents[2] / "data" / "env-cases.json").read_text(encoding="utf-8")
)["cases"]
REFUSED = {
    8: "a key outside A to Z",
    19: "bare key at the end of the file",
    39: "`= # c` is a comment to one reader and a value to another",
    63: "text behind a closing quote",
    64: "text behind a closing quote",
    65: "text behind a closing quote",
    73: "text behind a closing quote",
    81: "a double backslash in single quotes",
    152: "substring operator",
    154: "brace never closed",
    173: "triple quotes",
    181: "CRLF inside a value",
    187: "UTF-16",
    200: "`set A=b`",
    206: "`A:b`",
    215: "`A+=2`",
}


def data_of(case: dict[str, Any]) -> bytes:
    if case["id"] == 187:  # recorded as escapes
        return "\ufeffA=b\n".encode("utf-16-le")
    return str(case["text"]).encode()


def test_the_list_of_refused_cases_is_complete() -> None:
    refused = set()
    for case in CASES:
        try:
            parse(data_of(case), ".env")
        except UsageError:
            refused.add(case["id"])

    assert refused == set(REFUSED)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_reads_as_in_compose_or_is_refused_where_readers_differ(
    case: dict[str, Any],
) -> None:
    compose, other = case["expect"]["compose"], case["expect"]["python_dotenv"]
    if case["id"] in REFUSED:
        # The two readings differ, one of them refuses, or the key is no portable name.
        assert compose != other or case["id"] == 8
        return
    layer = Layer(".env", Path(".env"), parse(data_of(case), ".env"))

    resolved = resolve(find("base"), [layer], case["env"], {})

    assert resolved.exported() == compose["values"]


def test_a_process_value_wins_over_a_value_that_refers_to_itself() -> None:
    """python-dotenv's `os:x` here is the trap of case 138: Compose hands over `os`."""
    layer = Layer(".env", Path(".env"), parse(b"A=${A}:x\n", ".env"))

    assert resolve(find("base"), [layer], {"A": "os"}, {}).values["A"].text == "os"


@pytest.mark.parametrize("case", [c for c in CASES if c["id"] not in REFUSED])
def test_the_recorded_values_are_those_of_the_compose_installed_here(
    case: dict[str, Any],
    tmp_path: Path,
    compose_config: Callable[..., dict[str, dict[str, str | None]]],
) -> None:
    path = tmp_path / "case.env"
    path.write_bytes(data_of(case))
    layer = Layer(".env", path, parse(data_of(case), ".env"))
    keys = list(layer.keys)

    found = compose_config(
        {"s": {"environment": keys}},
        {**case["env"], "COMPOSE_ENV_FILES": str(path)},
    )["s"]

    resolved = resolve(find("base"), [layer], case["env"], {})
    assert found == {key: value.text for key, value in resolved.values.items()}

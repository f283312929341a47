"""The three readers in small, held against what the real programs were recorded to read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from invoke_stack.environment.lint import next_env, readers, statements

DATA = Path(__file__).parents[3] / "data"
CASES = json.loads((DATA / "env-cases.json").read_text("utf-8"))["cases"]
RANDOM = json.loads((DATA / "next-env-random.json").read_text("utf-8"))["cases"]
TEXTS = [case for case in CASES if case["id"] != 187]  # UTF-16, recorded as escapes
# Compose accepts these; the resolver does not, and the reading leaves the line out.
REFUSED = {8, 39, 63, 81, 181, 206}


def read(case: dict[str, Any]) -> readers.Readings:
    text, _ = statements.decode(case["text"].encode())
    return readers.read(text, statements.parse(text), case["env"])


@pytest.mark.parametrize("case", TEXTS, ids=[case["name"] for case in TEXTS])
def test_next_js_is_read_as_recorded(case: dict[str, Any]) -> None:
    expected = case["expect"]["next_env"]["values"]
    found = next_env.read([case["text"]], case["env"])

    assert {**case["env"], **found.values} == {**case["env"], **expected}


@pytest.mark.parametrize("case", TEXTS, ids=[case["name"] for case in TEXTS])
def test_python_dotenv_is_read_as_recorded(case: dict[str, Any]) -> None:
    text, _ = statements.decode(case["text"].encode())

    assert readers.python_dotenv(text, case["env"]) == case["expect"]["python_dotenv"]["values"]


@pytest.mark.parametrize("case", TEXTS, ids=[case["name"] for case in TEXTS])
def test_compose_is_read_as_recorded_on_every_line_it_accepts(case: dict[str, Any]) -> None:
    expected = case["expect"]["compose"].get("values")
    if expected is not None and case["id"] not in REFUSED:
        assert read(case).compose == expected


def test_next_js_reads_random_files_as_recorded() -> None:
    different = []
    for case in RANDOM:
        found = next_env.read(case["texts"], case["env"])
        if ({**case["env"], **found.values}, sorted(found.lost)) != (case["values"], case["lost"]):
            different.append(case["texts"])

    assert different == []
    assert len(RANDOM) >= 300


def test_our_python_dotenv_is_the_library_with_another_environment() -> None:
    text = "A=1\nB=${A}${NOBODY_SETS_THIS:-d}'\nC='${B}'\nD=\nE=${D:-x}\nbroken line\nF\n"

    assert readers.python_dotenv(text, {}) == dotenv_values(stream=io.StringIO(text))


def test_next_js_expands_a_process_value_again() -> None:
    assert next_env.read(["A=1\n"], {"A": "pa$word"}).values == {"A": "pa"}


def test_next_js_gives_up_a_file_with_a_circle_and_keeps_the_others() -> None:
    found = next_env.read(["A=x${A}\nB=1\n", "B=2\n"], {})

    assert (found.values["B"], found.lost) == ("2", {0: "A"})


def test_a_file_that_next_js_gives_up_is_still_read_for_its_other_lines() -> None:
    assert next_env.forgiving("A=x${A}\nB=b#c\n", {}) == ({"A": "", "B": "b"}, ("A",))


def test_older_versions_of_compose_see_the_value_of_the_lower_file() -> None:
    files = [statements.parse(text) for text in ("HOST=a\n", "HOST=b\nURL=http://${HOST}\n")]

    assert readers.eager(files, {})["URL"] == "http://b"
    assert readers.eager(files, {}, older=True)["URL"] == "http://a"

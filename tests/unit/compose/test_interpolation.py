from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from invoke_stack.compose.interpolation import Reference, expand, names, parse
from invoke_stack.errors import UsageError

VALUES = {"SET": "s", "EMPTY": "", "DOLLAR": "p$SET", "NAME": "n"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$SET/${SET}", "s/s"),
        ("$SET$NAME", "sn"),
        ("$UNSET.", "."),
        ("$$SET $${SET} $$$SET", "$SET ${SET} $s"),
        ("a$ $1 $- 100$", "a$ $1 $- 100$"),
        ("${UNSET:-d}${EMPTY:-d}${SET:-d}", "dds"),
        ("${UNSET-d}${EMPTY-d}${SET-d}", "ds"),
        ("${UNSET:+y}${EMPTY:+y}${SET:+y}", "y"),
        ("${UNSET+y}${EMPTY+y}${SET+y}", "yy"),
        ("${SET:?m}${SET?m}${EMPTY?m}", "ss"),
        ("${UNSET:-}|${UNSET-}", "|"),
        ("${UNSET:-${EMPTY:-${SET}}}", "s"),
        ("${UNSET:-a-b:-c}", "a-b:-c"),
        ("${UNSET:-$$}", "$"),
        ('${UNSET:-{"a":1}} ${SET}', '{"a":1} s'),
        ("${UNSET:-{}}", "{}"),
        ("${UNSET:-d}}", "d}"),
        ("$DOLLAR", "p$SET"),
        ("${UNSET:-d}\n${SET}", "d\ns"),
        ("${SET:-${UNSET:?never looked at}}", "s"),
    ],
)
def test_a_template_expands_as_in_compose(text: str, expected: str) -> None:
    assert expand(parse(text, "f:1"), VALUES.get) == expected


@pytest.mark.parametrize(
    "text",
    [
        "${", "${}", "${SET", "${SET:0:2}", "${A.B}", "${1A}", "${SET:-x", "${SET:-\n}", "${ A}",
        "${A }", "${A:-${B}", "${!A}", "${A/x/y}", "${A:-${B:0:1}}", "$\u017f", "${A\u212a}",
        "${A:-" * 500 + "}" * 500,
    ],
)  # fmt: skip
def test_a_reference_that_compose_refuses_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(f"secret{text}secret", "compose.yaml:7")

    assert caught.value.where == "compose.yaml:7"
    assert "secret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("text", ["${UNSET:?set it first}", "${UNSET?set it first}"])
def test_a_missing_required_variable_is_named_with_its_message(text: str) -> None:
    with pytest.raises(UsageError, match="UNSET is required but not set: set it first") as caught:
        expand(parse(text, "f:3"), VALUES.get)

    assert caught.value.where == "f:3"
    assert "UNSET" in caught.value.hint


def test_the_message_of_a_required_variable_is_not_expanded() -> None:
    with pytest.raises(UsageError) as caught:
        expand(parse("${UNSET:?not ${SECRET}}", "f:1"), {"SECRET": "hunter2"}.get)

    assert "hunter2" not in str(caught.value)


def test_an_empty_value_does_not_meet_a_requirement_with_colon() -> None:
    with pytest.raises(UsageError):
        expand(parse("${EMPTY:?m}", "f:1"), VALUES.get)


def test_names_include_nested_ones_once_in_order() -> None:
    assert names(parse("$B ${A:-${C:-$B}} $$D", "f:1")) == ("B", "A", "C")


def test_a_template_is_text_and_references() -> None:
    assert parse("a$$b${X:-c$Y}", "f:1") == (
        "a$b",
        Reference("X", ":-", ("c", Reference("Y"))),
    )


PIECES = [
    "${SET}", "$NAME", "${UNSET:-", "${EMPTY-", "${SET:+", "${EMPTY+", "${", "}", "}", "}", "{",
    "{}", "$", "$$", "a", ":-", "-", "+", '"', " ", "\n", "\\", "é", "${UNSET-d}", "{{", "}}",
]  # fmt: skip


def random_templates(count: int) -> dict[str, tuple[str, str]]:
    source = random.Random(20261120)  # noqa: S311 - a repeatable sequence
    found: dict[str, tuple[str, str]] = {}
    while len(found) < count:
        text = "".join(source.choices(PIECES, k=source.randint(1, 9)))
        try:
            found[f"K{len(found)}"] = (text, expand(parse(text, "f:1"), VALUES.get))
        except UsageError:
            continue
    return found


def test_random_templates_that_we_accept_expand_as_in_compose(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("needs the docker CLI with Compose; no engine")
    templates = random_templates(2000)
    environment = {key: text for key, (text, _) in templates.items()}
    file = tmp_path / "compose.json"
    services = {"s": {"image": "x", "environment": environment}}
    file.write_text(json.dumps({"name": "t", "services": services}))

    done = subprocess.run(
        [docker, "compose", "-f", file, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], **VALUES},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()[-500:]
    seen = json.loads(done.stdout)["services"]["s"]["environment"]
    for key, (text, expected) in templates.items():
        assert seen[key].replace("$$", "$") == expected, text

"""No file on which the three readers differ passes in silence, and none is stopped at line one."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.environment.dotenv import parse
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.lint import next_env, readers
from invoke_stack.environment.lint.check import check
from invoke_stack.environment.lint.model import RULES, Issue
from invoke_stack.environment.resolve import resolve
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

ROOT = Path(__file__).parents[4]
CASES = json.loads((ROOT / "tests" / "data" / "env-cases.json").read_text("utf-8"))["cases"]
# The three agree, and the line is flagged all the same.
FLAGGED = {
    138: "refers to itself: only the process environment of the case saves it from the circle",
    157: "$(...) is run by readers beyond the three",
}
CANARY = "hunter2canary"


def data_of(case: dict[str, Any]) -> bytes:
    if case["id"] == 187:  # recorded as escapes
        return "\ufeffA=b\n".encode("utf-16-le")
    return str(case["text"]).encode()


def issues(text: str | bytes, **environ: str) -> tuple[Issue, ...]:
    return check(text if isinstance(text, bytes) else text.encode(), environ).issues


def codes(text: str | bytes, **environ: str) -> list[tuple[str, int]]:
    return [(each.code, each.line) for each in issues(text, **environ)]


def random_files(seed: int, count: int) -> list[tuple[str, dict[str, str]]]:
    place = ROOT / "benchmarks" / "randomfiles.py"
    spec = importlib.util.spec_from_file_location("randomfiles", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[tuple[str, dict[str, str]]] = module.files(seed, count)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_recorded_case_is_flagged_where_readers_differ_and_clean_where_they_agree(
    case: dict[str, Any],
) -> None:
    flagged = bool(check(data_of(case), case["env"]).issues)

    assert flagged == (not case["agree3"] or case["id"] in FLAGGED)


def test_every_random_file_that_passes_in_silence_reads_the_same_three_times() -> None:
    silent = 0
    for text, environ in random_files(20261120, 600):
        if check(text.encode(), environ).issues:
            continue
        silent += 1
        layer = Layer(".env", Path(".env"), parse(text.encode(), ".env"))
        compose = resolve(find("base"), [layer], environ, {}).exported()
        python = {**readers.python_dotenv(text, environ), **environ}
        assert {k: v for k, v in python.items() if v is not None} == {**environ, **compose}, text
        assert {**environ, **next_env.read([text], environ).values} == {**environ, **compose}, text
    assert silent > 60


def test_what_the_resolver_refuses_has_an_error() -> None:
    for text, environ in random_files(7, 400):
        try:
            parse(text.encode(), ".env")
        except UsageError:
            found = check(text.encode(), environ).issues
            assert any(each.severity == "error" for each in found), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('A="open\nB=1\n', [("ENV-SYNTAX", 1)]),
        ("A: b\n", [("ENV-SYNTAX", 1)]),
        ("B=1\nA", [("ENV-SYNTAX", 2)]),
        ("A='a\\\\b'\n", [("ENV-LITERAL", 1)]),
        ("A= # c\n", [("ENV-LITERAL", 1)]),
        (b"B=1\nA=\xe9\n", [("ENV-ENCODING", 2)]),
        ("A=1\rB=2\n", [("ENV-ENCODING", 1)]),
        ('A="1\r\n2"\r\n', [("ENV-ENCODING", 1)]),
        ("\ufeffA=1\r\nB=2\r\n", []),
        ("CLÉ=1\n", [("ENV-KEY", 1)]),
        ("a.b-c=1\n", [("ENV-KEY", 1)]),
        ("PATH=/x\n", [("ENV-KEY", 1)]),
        ("A=1\nA=2\n", [("ENV-DUP", 2)]),
        ("B=1\nA=$B\n", [("ENV-DOLLAR", 2)]),
        ("B=1\nA='${B}'\n", [("ENV-DOLLAR", 2), ("ENV-NEXT", 2)]),
        ("A=${N-d}\n", [("ENV-DOLLAR", 1), ("ENV-NEXT", 1)]),
        ("E=\nA=${E:-d}\n", [("ENV-DOLLAR", 2)]),
        ("A='`id`'\n", [("ENV-EXEC", 1)]),
        ("A=${B}\nB=1\n", [("ENV-REF", 1)]),
        ("A=x${A}\n", [("ENV-REF", 1)]),
        ("A=${X:0:2}\n", [("ENV-REF", 1)]),
        ("A=b#c\n", [("ENV-NEXT", 1)]),
        ('A="C:\\x"\n', []),
        ('A="a\\tb"\n', [("ENV-NEXT", 1)]),
        ("A=${B:-http://localhost:3000}\n", []),
        ("A='plain' # comment\nexport B=\"two\nlines\"\n", []),
    ],
)
def test_a_line_has_its_codes(text: str | bytes, expected: list[tuple[str, int]]) -> None:
    assert codes(text) == expected


def test_a_broken_line_hides_nothing_of_the_others() -> None:
    found = codes("A=1\nnot a line\nB=b#c\nC=$A\nD=x${D}\nE='a\\\\b'\n")

    assert found == [
        ("ENV-SYNTAX", 2),
        ("ENV-NEXT", 3),
        ("ENV-DOLLAR", 4),
        ("ENV-REF", 5),
        ("ENV-LITERAL", 6),
    ]


def test_a_bare_key_beside_an_assignment_is_an_error() -> None:
    assert [(each.code, each.severity) for each in issues("A=1\nA\n")] == [("ENV-DUP", "error")]


def test_a_key_of_a_lower_layer_may_be_part_of_its_own_value() -> None:
    found = check(b"OPTS=${OPTS},b\n", {}, lower={"OPTS"}).issues

    assert [(each.code, each.severity) for each in found] == [("ENV-NEXT", "warning")]


def test_in_a_next_app_what_next_js_reads_otherwise_is_an_error() -> None:
    found = check(b"A=b#c\n", {}, next_app=True).issues

    assert [(each.code, each.severity) for each in found] == [("ENV-NEXT", "error")]


def test_a_reserved_key_may_be_allowed() -> None:
    assert check(b"NODE_OPTIONS=--trace-warnings\n", {}, allow={"NODE_OPTIONS"}).issues == ()


def test_no_message_holds_a_value_or_a_piece_of_a_broken_line() -> None:
    lines = [
        f'A="{CANARY}', f"B='{CANARY}'x", f"{CANARY}$", f"C=pa${CANARY}", f"D=${{{CANARY}",
        f"E={CANARY}#x", f"F=`{CANARY}`", f"-----BEGIN {CANARY}", f"G='it\\'{CANARY}'",
        f"H={CANARY}\t#c", f"{CANARY}: x", f"AbC1{CANARY}=", f"I=${{X:?{CANARY}}}",
    ]  # fmt: skip

    for text in (*lines, "\n".join(lines)):
        for each in issues(text + "\n"):
            assert CANARY not in f"{each.key} {each.message} {each.fix}"


def test_every_code_is_a_rule_with_a_title() -> None:
    seen = {each.code for text, env in random_files(3, 300) for each in issues(text, **env)}

    assert seen <= {rule.id for rule in RULES}
    assert len(RULES) == 13


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000, "A=" + "${" * 50_000, "A='" + "\\'" * 50_000, "A='\n" * 20_000,
        "A=" + "$" * 100_000, "A= " + " " * 100_000 + "#", "A=${A}\n" * 300,
        "".join(f"K{i}=${{K{(i + 1) % 300}}}\n" for i in range(300)),
        "A=$&\n" + "B=${A}${A}\nC=${B}${B}\nA=${C}${C}\n" * 5,
        "A" * 100_000, "export " * 20_000, "A:" + " " * 100_000,
    ],
    ids=range(12),
)  # fmt: skip
def test_no_input_takes_long(text: str) -> None:
    start = time.process_time()

    issues(text)

    assert time.process_time() - start < 2

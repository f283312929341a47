from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from invoke_stack.console import Console
from invoke_stack.errors import ExitCode, RefusedError, StackError, UsageError
from invoke_stack.events import (
    Line,
    Note,
    Planned,
    Progress,
    ServiceProgress,
    Step,
    Transferred,
    Warned,
)

SECRET = "s3cr3t-canary"


class Terminal(io.StringIO):
    """A stream that says a person is watching."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A console and everything around it."""

    def __init__(
        self,
        *,
        terminal: bool = False,
        environ: Mapping[str, str] | None = None,
        answer: str | None = None,
        json: bool = False,
        redact: Callable[[str], str] = lambda text: text.replace(SECRET, "***"),
    ) -> None:
        self.out = Terminal() if terminal else io.StringIO()
        self.err = Terminal() if terminal else io.StringIO()
        self.clock = Clock()
        self.console = Console(
            self.out,
            self.err,
            environ=environ or {},
            redact=redact,
            json=json,
            source=None if answer is None else Terminal(answer),
            clock=self.clock,
        )

    @property
    def result(self) -> str:
        return self.out.getvalue()

    @property
    def said(self) -> str:
        return self.err.getvalue()


def services(**states: Any) -> Progress:
    return Progress(tuple(ServiceProgress(name, state) for name, state in states.items()))


def test_a_result_goes_to_stdout_and_everything_else_to_stderr() -> None:
    bench = Bench()

    bench.console.result("postgres://db")
    bench.console.note("a note")
    bench.console.step("a step")
    bench.console.warn("a warning", "a way out")
    bench.console.echo("docker compose up")

    assert bench.result == "postgres://db\n"
    assert bench.said.splitlines() == [
        "a note",
        "a step",
        "warning: a warning",
        "  hint: a way out",
        "$ docker compose up",
    ]


def test_a_result_is_not_given_a_second_line_break() -> None:
    bench = Bench()

    bench.console.result("a\n")
    bench.console.result("")

    assert bench.result == "a\n"


def test_an_error_names_place_detail_and_next_step() -> None:
    bench = Bench()

    bench.console.error(
        UsageError(".env:14", "DATABASE_URL is set twice", hint="keep one", detail=("9", "14"))
    )

    assert bench.result == ""
    assert bench.said.splitlines() == [
        "error: .env:14: DATABASE_URL is set twice",
        "  9",
        "  14",
        "  hint: keep one",
    ]


def test_an_error_without_a_hint_has_no_hint_line() -> None:
    bench = Bench()

    bench.console.error(StackError("docker", "exited with code 1"))

    assert bench.said == "error: docker: exited with code 1\n"


def test_no_way_of_printing_lets_a_secret_through() -> None:
    bench = Bench(terminal=True)
    console = bench.console

    console.result(SECRET)
    console.document({"a": SECRET, "b": [{"c": SECRET}]})
    console.table(["x"], [[SECRET]])
    console.note(SECRET)
    console.step(SECRET)
    console.warn(SECRET, SECRET)
    console.echo(SECRET)
    console.error(StackError(SECRET, SECRET, hint=SECRET, detail=(SECRET,)))
    for event in (
        Step(SECRET),
        Note(SECRET),
        Warned(SECRET, SECRET),
        Line(SECRET, SECRET),
        Planned(SECRET),
        Progress((ServiceProgress(SECRET, "starting", SECRET),)),
        Transferred(SECRET, 1, 2, SECRET),
    ):
        console.report(event)
    console.finish()

    assert SECRET not in bench.result + bench.said
    assert "***" in bench.result
    assert "***" in bench.said


def test_secrets_are_shown_where_they_were_asked_for() -> None:
    bench = Bench()

    bench.console.result(SECRET, reveal=True)
    bench.console.document({"a": SECRET}, reveal=True)
    bench.console.table(["x"], [[SECRET]], reveal=True)

    assert bench.result.count(SECRET) == 3


def test_secrets_learned_later_are_redacted_from_then_on() -> None:
    bench = Bench(redact=lambda text: text)

    bench.console.redact = lambda text: text.replace("late", "***")
    bench.console.result("late")

    assert bench.result == "***\n"


def test_a_document_starts_with_its_schema_and_keeps_its_order() -> None:
    bench = Bench(json=True)

    bench.console.document({"zeta": 1, "alpha": "größe"})

    assert list(json.loads(bench.result)) == ["schema", "zeta", "alpha"]
    assert json.loads(bench.result)["schema"] == 1
    assert "größe" in bench.result


@pytest.mark.parametrize("secret", ["true", 'pa"ss\\word', "schema", "line\nbreak", "ключ"])
def test_a_document_stays_json_whatever_the_secret_is(secret: str) -> None:
    bench = Bench(redact=lambda text: text.replace(secret, "***"))

    bench.console.document({"ok": True, "text": f"a {secret} b", "pair": (secret,)})

    assert json.loads(bench.result) == {
        "schema": 1,
        "ok": True,
        "text": "a *** b",
        "pair": ["***"],
    }


def test_a_json_run_prints_the_document_alone() -> None:
    bench = Bench(json=True)

    bench.console.result("for people")
    bench.console.table(["a"], [["b"]])
    bench.console.document({})

    assert json.loads(bench.result) == {"schema": 1}


def test_a_table_is_aligned_and_numbers_stand_to_the_right() -> None:
    bench = Bench()

    bench.console.table(
        ["name", "bytes", "note"], [["web", 1200, "a\nb"], ["database", 7, None], ["x", None, ""]]
    )

    assert bench.result.splitlines() == [
        "name      bytes  note",
        "web        1200  a b",
        "database      7",
        "x",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    bench = Bench()

    bench.console.table(["name", "state"], [])

    assert bench.result == "name  state\n"


def test_a_terminal_gets_colours() -> None:
    bench = Bench(terminal=True)

    bench.console.table(["name"], [["web"]])
    bench.console.error(StackError("a", "b"))

    assert bench.result == "\x1b[1mname\x1b[0m\nweb\n"
    assert bench.said == "\x1b[1;31merror:\x1b[0m a: b\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(environ: dict[str, str]) -> None:
    bench = Bench(terminal=True, environ=environ)

    bench.console.table(["name"], [["web"]])
    bench.console.error(StackError("a", "b"))
    bench.console.report(Line("web", "c"))

    assert "\x1b" not in bench.result + bench.said


def test_yes_agrees_beforehand() -> None:
    bench = Bench()

    bench.console.confirm("drop shop?", yes=True)

    assert bench.said == ""


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " yes "])
def test_an_answer_of_yes_is_enough(answer: str) -> None:
    bench = Bench(terminal=True, answer=answer)

    bench.console.confirm("drop shop?", yes=False)

    assert bench.said == "drop shop? [y/N] "


@pytest.mark.parametrize("answer", ["\n", "", "n\n", "yep\n"])
def test_any_other_answer_refuses(answer: str) -> None:
    bench = Bench(terminal=True, answer=answer)

    with pytest.raises(RefusedError, match="not given; nothing was changed") as caught:
        bench.console.confirm("drop shop?", yes=False)

    assert caught.value.code == ExitCode.REFUSED


def test_off_a_terminal_nobody_is_asked() -> None:
    bench = Bench(answer="y\n")

    with pytest.raises(RefusedError, match="--yes was not given") as caught:
        bench.console.confirm("drop shop?", yes=False)

    assert "--yes" in caught.value.hint
    assert bench.said == ""


def test_a_word_has_to_be_typed_as_it_is() -> None:
    bench = Bench(terminal=True, answer="shop\n")

    bench.console.confirm_word("drop shop?", "shop")

    assert bench.said == "drop shop? type shop to go on: "


@pytest.mark.parametrize("answer", ["\n", "", "y\n", "Shop\n", "shops\n"])
def test_another_word_refuses(answer: str) -> None:  # A38
    bench = Bench(terminal=True, answer=answer)

    with pytest.raises(RefusedError, match="another name; nothing was changed"):
        bench.console.confirm_word("drop shop?", "shop")


def test_off_a_terminal_the_word_is_a_flag() -> None:  # A36
    bench = Bench(answer="shop\n")

    with pytest.raises(RefusedError, match="--confirm shop was not given") as caught:
        bench.console.confirm_word("drop shop?", "shop")

    assert caught.value.detail == ("drop shop?",)


def test_every_event_has_its_line() -> None:
    bench = Bench()

    for event in (
        Step("build"),
        Note("image is up to date"),
        Warned("PORT is set twice", "keep one"),
        Line("web", "listening on 3000"),
        Planned("create backups/"),
    ):
        bench.console.report(event)

    assert bench.said.splitlines() == [
        "build",
        "image is up to date",
        "warning: PORT is set twice",
        "  hint: keep one",
        "web | listening on 3000",
        "would create backups/",
    ]


def test_a_stream_that_cannot_encode_a_character_gets_a_stand_in() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(out, out, environ={})

    console.result("✓ up … ä")
    console.note("→ done")

    assert raw.getvalue() == b"+ up ... ?\n-> done\n"


def test_json_on_an_ascii_stream_loses_nothing() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="cp1252")

    Console(out, out, environ={}).document({"text": "✓ ä"})

    assert json.loads(raw.getvalue())["text"] == "✓ ä"


def test_a_file_name_that_is_no_text_is_no_crash() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8")

    Console(out, out, environ={}).note(os.fsdecode(b"a\xffb"))

    assert raw.getvalue() == b"a?b\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_is_no_error(stream: str) -> None:
    code = (
        "import sys\n"
        "from invoke_stack.console import Console\n"
        f"console = Console(sys.{stream}, sys.{stream}, environ={{}})\n"
        "sys.stdin.read()\n"
        "for _ in range(3):\n"
        "    console.result('x' * 100_000)\n"
        "    console.note('y')\n"
    )
    read, write = os.pipe()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: write}
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, **streams)  # type: ignore[call-overload]
    os.close(write)
    os.close(read)
    out, err = child.communicate(timeout=20)

    assert (out or b"", err or b"", child.returncode) == (b"", b"", 0)


def test_nothing_heavy_is_loaded_until_it_is_needed() -> None:
    code = "import sys, invoke_stack.console; print(sorted({'rich', 'invoke'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, timeout=20, text=True
    )

    assert done.stdout == "[]\n"


def test_an_error_closes_the_live_table_first() -> None:
    bench = Bench(terminal=True)
    bench.console.report(services(web="starting"))

    bench.console.error(StackError("web", "exited"))

    assert bench.said.index("\x1b[?25h") < bench.said.index("exited")

from __future__ import annotations

import io
from typing import Any

import pytest

from invoke_stack.console import Console
from invoke_stack.events import Line, Progress, ServiceProgress, Transferred


class Terminal(io.StringIO):
    """A stream that says a person is watching."""

    def isatty(self) -> bool:
        return True


class Bench:
    """A console whose clock stands still until it is moved."""

    def __init__(self, err: io.StringIO, **environ: str) -> None:
        self.now = 100.0
        self.err = err
        self.console = Console(io.StringIO(), err, environ=environ, clock=lambda: self.now)

    def progress(self, **states: Any) -> None:
        rows = (ServiceProgress(name, state) for name, state in states.items())
        self.console.report(Progress(tuple(rows)))

    def said(self) -> list[str]:
        """Return what was printed since the last time."""
        lines = self.err.getvalue().splitlines()
        self.err.seek(0)
        self.err.truncate()
        return lines


@pytest.fixture
def plain() -> Bench:
    return Bench(io.StringIO())


@pytest.fixture
def screen() -> Bench:
    return Bench(Terminal())


def test_plain_output_says_each_change_once(plain: Bench) -> None:
    plain.progress(db="starting", web="waiting")
    plain.progress(db="starting", web="waiting")
    assert plain.said() == ["db: starting (0 s)"]

    plain.progress(db="healthy", web="starting")
    assert plain.said() == ["db: healthy (0 s)", "web: starting (0 s)"]


def test_a_change_names_seconds_and_detail(plain: Bench) -> None:
    row = ServiceProgress("web", "failed", "exit code 1", 2.4)

    plain.console.report(Progress((row,)))

    assert plain.said() == ["web: failed (2 s, exit code 1)"]


def test_plain_output_gets_a_heartbeat_while_nothing_changes(plain: Bench) -> None:
    plain.progress(web="starting", db="healthy")
    plain.said()

    for _ in range(25):
        plain.now += 1
        plain.progress(web="starting", db="healthy")

    assert plain.said() == [
        "waiting 10 s: web starting, db healthy",
        "waiting 20 s: web starting, db healthy",
    ]


def test_a_change_puts_the_heartbeat_off(plain: Bench) -> None:
    plain.progress(web="starting")
    plain.now += 9
    plain.progress(web="running")
    plain.said()

    plain.now += 9
    plain.progress(web="running")
    assert plain.said() == []

    plain.now += 1
    plain.progress(web="running")
    assert plain.said() == ["waiting 19 s: web running"]


def test_finish_starts_anew(plain: Bench) -> None:
    plain.progress(web="starting")
    plain.console.finish()
    plain.said()

    plain.progress(web="starting")

    assert plain.said() == ["web: starting (0 s)"]


def test_a_transfer_is_a_line_every_ten_seconds_in_plain_output(plain: Bench) -> None:
    for done in range(21):
        plain.console.report(Transferred("backup", done * 2_000_000, 80_000_000, "orders"))
        plain.now += 1

    assert plain.said() == [
        "backup: 10 s, 20.0 MB, 2.0 MB/s, ~25%, orders",
        "backup: 20 s, 40.0 MB, 2.0 MB/s, ~50%, orders",
    ]


def test_an_estimate_never_promises_the_end(plain: Bench) -> None:
    plain.console.report(Transferred("backup", 0))
    plain.now += 10
    plain.console.report(Transferred("backup", 30_000_000, 20_000_000))

    assert plain.said() == ["backup: 10 s, 30.0 MB, 3.0 MB/s, ~99%"]


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_no_table_is_drawn_where_nobody_watches_it_move(environ: dict[str, str]) -> None:
    bench = Bench(Terminal(), **environ)

    bench.progress(db="starting")

    assert bench.said() == ["db: starting (0 s)"]


def test_a_terminal_gets_a_table_that_is_redrawn_in_place(screen: Bench) -> None:
    screen.progress(db="starting", web="waiting")
    first = screen.err.getvalue()
    screen.progress(db="healthy", web="failed")
    second = screen.err.getvalue()[len(first) :]
    screen.console.finish()
    last = screen.err.getvalue()[len(first) + len(second) :]

    assert "…" in first
    assert "db" in first
    assert "\x1b[1A" in second
    assert "✓" in second
    assert "✗" in second
    assert "\x1b[?25h" in last


def test_the_table_is_not_wider_than_the_terminal() -> None:
    bench = Bench(Terminal())

    bench.console.report(Progress((ServiceProgress("web", "starting", "x" * 1000),)))

    assert bench.err.getvalue().count("x") < 1000


def test_a_long_detail_takes_no_room_from_the_other_columns() -> None:
    bench = Bench(Terminal(), COLUMNS="60", NO_COLOR="1")
    rows = (
        ServiceProgress("database", "healthy", "", 1),
        ServiceProgress("web", "unhealthy", "no answer " * 50, 2),
    )

    bench.console.report(Progress(rows))

    assert "✓  database  healthy    1 s" in bench.err.getvalue()
    assert "✗  web       unhealthy  2 s  no answer no answer" in bench.err.getvalue()


def test_a_step_ends_what_was_going_on_before(screen: Bench) -> None:
    screen.console.report(Transferred("backup", 1_000_000))

    screen.console.step("verify")

    assert screen.err.getvalue().endswith("\x1b[?25h\x1b[1mverify\x1b[0m\n")


def test_a_table_without_services_is_no_crash(screen: Bench) -> None:
    screen.console.report(Progress(()))


def test_other_output_stands_above_the_table(screen: Bench) -> None:
    screen.progress(db="starting")
    screen.console.report(Line("web", "listening on [::]:3000"))
    screen.console.finish()

    shown = screen.err.getvalue()
    assert shown.index("listening on [::]:3000") < shown.rindex("starting")


def test_a_result_waits_for_the_table_to_close(screen: Bench) -> None:
    screen.progress(db="starting")

    screen.console.result("http://localhost:3000")

    assert screen.err.getvalue().endswith("\x1b[?25h")


def test_a_terminal_shows_a_transfer_on_one_line(screen: Bench) -> None:
    screen.console.report(Transferred("backup", 0))
    screen.now += 2
    screen.console.report(Transferred("backup", 4_000_000, detail="orders"))

    assert "backup: 2 s, 4.0 MB, 2.0 MB/s, orders" in screen.err.getvalue()
    assert screen.err.getvalue().count("\n") == 0


def test_a_second_transfer_gets_a_line_and_a_time_of_its_own(screen: Bench) -> None:
    screen.console.report(Transferred("backup", 1_000_000))
    screen.now += 5
    screen.console.report(Transferred("verify", 1_000_000))
    screen.console.finish()

    assert "backup: 0 s, 1.0 MB" in screen.err.getvalue()
    assert "verify: 0 s, 1.0 MB" in screen.err.getvalue()


def test_a_table_without_colour_still_moves() -> None:
    bench = Bench(Terminal(), NO_COLOR="1")

    bench.progress(db="healthy")
    bench.progress(db="failed")

    assert "\x1b[1A" not in bench.err.getvalue().split("healthy", maxsplit=1)[0]
    assert "\x1b[32m" not in bench.err.getvalue()
    assert "\r" in bench.err.getvalue()


def test_a_terminal_that_cannot_encode_the_marks_is_no_crash() -> None:
    raw = io.BytesIO()

    class Old(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    console = Console(io.StringIO(), Old(raw, encoding="ascii"), environ={})
    for state in ("starting", "healthy", "failed"):
        rows = [ServiceProgress(f"s{n}", state, "…" * 200) for n in range(200)]  # type: ignore[arg-type]
        console.report(Progress(tuple(rows)))
    console.report(Transferred("backup", 1, detail="…"))
    console.note("✓")
    console.finish()

    assert b"+" in raw.getvalue()

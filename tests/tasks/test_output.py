"""What reaches the terminal, a pipe and another program."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

from invoke_stack.errors import ExitCode

SERVICES: dict[str, Any] = {"web": {"build": "."}, "db": {"image": "postgres:16"}}


@pytest.fixture
def running(stage: Stage, engine: FakeEngine) -> FakeEngine:
    """A stack whose two services run."""
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), ports={3000: 3001})
    engine.container("db", folder=str(stage.root), health="healthy", image="postgres:16")
    return engine


@pytest.mark.parametrize(
    "words",
    [
        ("stack.ps",),
        ("stack.urls",),
        ("stack.config",),
        ("stack.up",),
        ("env.show",),
        ("db.backups",),
    ],
)
def test_json_is_one_document_and_nothing_else(
    stage: Stage, running: FakeEngine, words: tuple[str, ...]
) -> None:
    stage.write(".env", "DB_PASSWORD=canary-4711\nPLAIN=1\n")

    ran = stage.inv(*words, "--json")

    assert ran.code == 0, ran.err
    assert next(iter(ran.document())) == "schema"
    assert "canary" not in ran.out + ran.err


def test_the_json_of_ps_is_as_agreed(stage: Stage, running: FakeEngine) -> None:
    found = stage.inv("stack.ps", "--json").document()

    assert {key: found[key] for key in ("project", "engine")} == {
        "project": "shop",
        "engine": "docker",
    }
    db, web = found["services"]
    assert (db["name"], db["state"], db["health"], db["ports"]) == ("db", "running", "healthy", [])
    assert web["ports"] == [
        {
            "host": "localhost",
            "published": 3001,
            "target": 3000,
            "protocol": "tcp",
            "url": "http://localhost:3001",
        }
    ]


def test_the_json_of_env_hides_secrets_until_they_are_asked_for(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write(".env", "DB_PASSWORD=canary-4711\n")

    hidden = stage.inv("env.show", "--json").document()
    shown = stage.inv("env.show", "--json", "--reveal").document()

    assert hidden["values"]["DB_PASSWORD"] == {
        "value": None,
        "file": ".env",
        "line": 1,
        "origin": "file",
        "sensitive": True,
    }
    assert shown["values"]["DB_PASSWORD"]["value"] == "canary-4711"


def test_an_error_of_a_json_run_leaves_stdout_empty(stage: Stage) -> None:
    ran = stage.inv("stack.ps", "--json")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize("words", [("stack.ps",), ("stack.up",)])
def test_a_pipe_gets_no_colours(stage: Stage, running: FakeEngine, words: tuple[str, ...]) -> None:
    ran = stage.inv(*words, TERM="xterm-256color")

    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out + ran.err


def on_a_terminal(
    stage: Stage, *words: str, typed: bytes = b"", **environ: str
) -> tuple[int, bytes]:
    """Run `inv` on a terminal of its own; return its exit code and what that would show."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [stage.program, *words],
        cwd=stage.root,
        env={**stage.environ, "TERM": "xterm", **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "r+b", buffering=0) as stream:
        stream.write(typed)
        while True:
            try:
                part = stream.read(65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
    return child.wait(20), shown


def test_a_terminal_gets_colours_unless_it_wants_none(stage: Stage, running: FakeEngine) -> None:
    code, shown = on_a_terminal(stage, "stack.ps")
    assert (code, b"\x1b[1m" in shown) == (0, True)

    code, shown = on_a_terminal(stage, "stack.ps", NO_COLOR="1")
    assert (code, b"\x1b" in shown) == (0, False)


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 4), (b"\n", 4)])
def test_a_question_is_answered_on_the_terminal(
    stage: Stage, running: FakeEngine, typed: bytes, code: int
) -> None:
    running.volumes = ["shop_pg"]
    running.gone = lambda: stage.calls(" down")

    ended, shown = on_a_terminal(stage, "stack.down", "--volumes", "--no-backup", typed=typed)

    assert ended == code, shown
    assert b"[y/N]" in shown
    assert bool(stage.calls(" down")) is (code == 0)


def test_a_reader_that_goes_away_is_no_error(stage: Stage, running: FakeEngine) -> None:
    stage.answer("logs", "web-1  | line of a log that goes on\n" * 20_000)

    ran = stage.shell("inv stack.logs --tail all | head -n 1; inv stack.config | head -n 0")

    assert (ran.code, ran.out) == (0, "web-1  | line of a log that goes on\n")
    assert ran.err == ""


def test_secrets_in_logs_are_hidden(stage: Stage, running: FakeEngine) -> None:
    stage.write(".env", "DB_PASSWORD=canary-4711\n")
    stage.answer("logs", "web-1  | connecting with canary-4711\n")

    ran = stage.inv("stack.logs")

    assert (ran.code, ran.out, ran.err) == (0, "web-1  | connecting with ***\n", "")


BROKEN = """
from invoke_stack import namespace
from invoke_stack.tasks._task import stack_task

ns = namespace()

@stack_task(json=True)
def broken(run):
    \"\"\"Fail in a way that nobody expects.\"\"\"
    from invoke_stack.environment import declared

    declared.load(run.project)
    raise RuntimeError("cannot connect with canary-4711")

ns.add_task(broken)
"""


def test_a_bug_is_a_short_message_and_a_report_without_secrets(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write("tasks.py", BROKEN)
    stage.write(".env", "DB_PASSWORD=canary-4711\n")

    ran = stage.inv("broken", "--json")

    (report,) = (stage.root / ".invoke-stack").glob("report-*.txt")
    assert ran.code == ExitCode.FAILED
    assert ran.out == ""
    assert ran.err == (
        "error: invoke_stack: unexpected error (RuntimeError)\n"
        f"  hint: please report it with {report}\n"
    )
    text = report.read_text()
    assert "Traceback" in text
    assert "cannot connect with ***" in text
    assert "canary" not in text
    assert report.stat().st_mode & 0o077 == 0


def test_output_of_docker_that_nobody_expects_is_a_short_message_too(stage: Stage) -> None:
    stage.stack(SERVICES)
    stage.answer("config --format json", "<html>not JSON, password=canary</html>")

    ran = stage.inv("stack.config")

    assert ran.code == ExitCode.USAGE
    assert len(ran.err.splitlines()) == 2
    assert "canary" not in ran.err + ran.out


def test_a_folder_where_nothing_can_be_written_still_gets_the_message(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write("tasks.py", BROKEN)
    stage.write(".invoke-stack", "a file where the folder should be\n")

    ran = stage.inv("broken")

    assert ran.code == ExitCode.FAILED
    assert ran.err.startswith("error: invoke_stack: unexpected error (RuntimeError)\n")


def test_text_output_is_for_people(stage: Stage, running: FakeEngine) -> None:
    ran = stage.inv("stack.ps")

    head, db, web = ran.out.splitlines()
    assert head.split() == ["service", "state", "health", "image", "url"]
    assert db.split() == ["db", "running", "healthy", "postgres:16", "-"]
    assert web.split() == ["web", "running", "-", "shop-web", "http://localhost:3001"]
    assert ran.err == ""


def test_a_stream_that_knows_ascii_alone_is_no_crash(stage: Stage, running: FakeEngine) -> None:
    stage.write(".env", "GREETING=größe ✓\n")

    ran = stage.inv("env.show", PYTHONIOENCODING="ascii", LC_ALL="C")
    document = stage.inv("env.show", "--json", PYTHONIOENCODING="ascii", LC_ALL="C").out

    assert ran.code == 0, ran.err
    assert json.loads(document)["values"]["GREETING"]["value"] == "größe ✓"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(stage: Stage, closed: str) -> None:
    stage.stack(SERVICES)

    assert stage.shell(f"inv stack.config {closed}").code == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("task", ["stack.config", "stack.config --json", "env.show"])
def test_a_full_disk_behind_the_output_is_said(stage: Stage, task: str) -> None:
    stage.stack(SERVICES)

    ran = stage.shell(f"inv {task} > /dev/full")

    assert ran.code == 1
    assert "error: output: cannot be written: no space left\n  hint: " in ran.err


@pytest.mark.parametrize(
    "said",
    ["", "null", "[]", "garbage", "\x00\x01"],
)
def test_a_docker_that_talks_nonsense_is_no_bug_of_ours(stage: Stage, said: str) -> None:
    stage.write("compose.yaml", "services: {}\n")
    stage.answer("config --format json", said)

    for task in ("stack.up", "stack.ps", "stack.down", "stack.config"):
        ran = stage.inv(task)

        assert (task, ran.code) == (task, 2)
        assert "docker compose config: its answer is no JSON object" in ran.err


def test_followed_logs_end_when_nobody_reads_them_any_more(
    stage: Stage, running: FakeEngine
) -> None:
    assert running
    docker = stage.bin / "docker"
    docker.rename(stage.bin / "docker.py")
    docker.write_text(
        f'#!/bin/sh\ncase "$*" in *\' logs \'*) ;; *) exec {stage.bin}/docker.py "$@";; esac\n'
        "while echo line; do sleep 0.05; done\n"
    )
    docker.chmod(0o755)

    ran = stage.shell("inv stack.logs --follow | head -1")

    assert ran.out == "line\n"


@pytest.mark.parametrize("task", ["stack.up", "db.wait"])
def test_a_negative_timeout_is_refused_before_anything_happens(stage: Stage, task: str) -> None:
    ran = stage.inv(task, "--timeout", "-1")

    assert ran.code == 2
    assert ran.err.startswith("error: --timeout: expected 0 to 1000000000 seconds\n  hint: ")
    assert stage.calls() == []


def test_secrets_in_build_arguments_are_hidden(stage: Stage, engine: FakeEngine) -> None:
    assert engine
    secret = "build-arg-canary-1"  # a canary of this test
    stage.stack({"web": {"build": {"context": ".", "args": {"API_TOKEN": secret}}}})
    stage.answer(" build", f"#5 0.2 with {secret}\n", code=1)

    ran = stage.inv("stack.up")

    assert ran.code == 1
    assert secret not in ran.out + ran.err
    assert "***" in ran.err


def test_a_secret_in_an_images_name_stays_one(stage: Stage) -> None:
    secret = "image-name-canary-1"  # a canary of this test
    stage.write(".env", f"API_TOKEN={secret}\n")
    stage.stack({"web": {"image": "box/app:${API_TOKEN}"}})

    ran = stage.inv("stack.config")

    assert ran.code == 0
    assert secret not in ran.out + ran.err


def test_a_paused_service_is_not_replaced_by_a_one_off_container(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), state="paused")

    ran = stage.inv("stack.exec", "-s", "web", "--", "true")

    assert ran.code == 6
    assert ran.err == "error: web: is paused\n  hint: docker unpause shop-web-1\n"


def test_a_file_that_the_system_refuses_is_no_bug_of_ours(stage: Stage) -> None:
    stage.write(
        "tasks.py",
        "from invoke_stack import namespace\n"
        "from invoke_stack.tasks._task import stack_task\n\n"
        "ns = namespace()\n\n\n"
        "@stack_task()\n"
        "def refused(run):\n"
        '    """Meet a file of another user, as root never would."""\n'
        '    raise PermissionError(13, "Permission denied", "data/x")\n\n\n'
        "ns.add_task(refused)\n",
    )

    ran = stage.inv("refused")

    assert ran.code == 2
    assert ran.err.startswith("error: data/x: permission denied\n  hint: ")

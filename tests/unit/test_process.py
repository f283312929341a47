from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_stack.children import TAIL_LINES
from invoke_stack.command import FOLDER
from invoke_stack.errors import ExitCode, StackError, UsageError
from invoke_stack.process import Command, Completed, SystemRunner

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")
DEADLINE_S = 10.0


def python(code: str, *words: str) -> Command:
    return Command((sys.executable, "-c", code, *words))


@pytest.fixture
def runner() -> SystemRunner:
    return SystemRunner(dict(os.environ))


def ended(pid: int) -> bool:
    """Return whether the process ends; a zombie nobody reaps has ended too."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


@pytest.fixture
def pid_file(tmp_path: Path) -> Iterator[Path]:
    """Where a child writes a process id; what still runs at the end is killed."""
    path = tmp_path / "pid"
    yield path
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(path.read_text()), signal.SIGKILL)


def test_arguments_arrive_word_for_word(runner: SystemRunner) -> None:
    words = ("a b", "", "it's", 'say "x"', "a\nb", "$HOME", "`id`", "*", "\\", "--", "größe")

    done = runner.capture(python("import sys, json; print(json.dumps(sys.argv[1:]))", *words))

    import json

    assert tuple(json.loads(done.stdout)) == words


def test_a_command_is_shown_as_typed_in_a_shell() -> None:
    command = Command(("docker", "exec", "db", "psql", "-c", "select 1"), env={"PGPASSWORD": "x"})

    assert str(command) == "docker exec db psql -c 'select 1'"
    assert "PGPASSWORD" not in repr(command)


def test_adding_to_a_command_leaves_the_first_one_as_it_was() -> None:
    command = Command(("docker",), env={"A": "1"})

    more = command.add("ps", "-a").with_env(B="2", A="3")

    assert (command.argv, command.env) == (("docker",), {"A": "1"})
    assert (more.argv, more.env) == (("docker", "ps", "-a"), {"A": "3", "B": "2"})


def test_variables_of_the_caller_can_be_kept_from_a_program() -> None:
    runner = SystemRunner({"PATH": os.environ["PATH"], "PGHOST": "a", "PGSERVICE": "b", "P": "c"})
    code = "import os; print(sorted(key for key in os.environ if key.startswith('P')))"
    command = Command((sys.executable, "-c", code), env={"PGHOST": "d"}, without=("PG*",))

    assert runner.capture(command).stdout == "['P', 'PATH', 'PGHOST']\n"


@POSIX
def test_an_interrupt_is_the_affair_of_an_interactive_program(runner: SystemRunner) -> None:
    code = "import os, signal, time; os.kill(os.getppid(), 2); time.sleep(0.2); raise SystemExit(7)"
    handler = signal.getsignal(signal.SIGINT)

    assert runner.attach(Command((sys.executable, "-c", code), interactive=True)) == 7
    assert signal.getsignal(signal.SIGINT) is handler


def test_environment_is_added_to_the_runners_own() -> None:
    runner = SystemRunner({"PATH": os.environ["PATH"], "A": "low", "B": "kept"})
    code = "import os; print(os.environ['A'], os.environ['B'], os.environ.get('HOME'))"

    done = runner.capture(python(code).with_env(A="high"))

    assert done.stdout == "high kept None\n"


def test_a_command_runs_where_it_was_told(runner: SystemRunner, tmp_path: Path) -> None:
    command = Command((sys.executable, "-c", "import os; print(os.getcwd())"), cwd=tmp_path)

    assert Path(runner.capture(command).stdout.strip()).samefile(tmp_path)


def test_both_streams_and_the_code_come_back(runner: SystemRunner) -> None:
    done = runner.capture(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    )

    assert (done.code, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_output_that_is_no_text_is_no_crash(runner: SystemRunner) -> None:
    done = runner.capture(python(r"import sys; sys.stdout.buffer.write(b'a\xffb')"))

    assert done.stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_large_output_on_both_streams_does_not_block(runner: SystemRunner) -> None:
    code = "import sys; sys.stderr.write('e' * 2_000_000); sys.stdout.write('o' * 2_000_000)"

    done = runner.capture(python(code), timeout_s=DEADLINE_S)

    assert (len(done.stdout), len(done.stderr)) == (2_000_000, 2_000_000)


def test_standard_input_is_what_was_given_or_empty(runner: SystemRunner) -> None:
    command = python("import sys; print(repr(sys.stdin.read()))")

    assert runner.capture(command, stdin=b"a\nb").stdout == "'a\\nb'\n"
    assert runner.capture(command).stdout == "''\n"


def test_a_program_that_does_not_read_its_input_is_no_error(runner: SystemRunner) -> None:
    assert runner.capture(python("pass"), stdin=b"x" * 1_000_000).code == 0


def test_a_program_that_takes_too_long_is_ended_and_named(
    runner: SystemRunner, pid_file: Path
) -> None:
    code = (
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )

    with pytest.raises(StackError, match=r"did not answer within 0\.5 s"):
        runner.capture(python(code, str(pid_file)), timeout_s=0.5)

    assert ended(int(pid_file.read_text()))


def test_the_output_of_what_runs_beside_us_is_had_when_it_is_asked_for(
    runner: SystemRunner,
) -> None:
    code = "import sys; sys.stderr.write('e'); print(sys.stdin.read() * 100_000)"

    with runner.beside(python(code), stdin=b"ab", timeout_s=DEADLINE_S) as taken:
        first, again = taken(), taken()

    assert (first.code, len(first.stdout), first.stderr) == (0, 200_001, "e")
    assert again == first


@pytest.mark.parametrize("asked", [1, 0])
def test_what_runs_beside_us_is_ended_when_it_takes_too_long_or_nobody_asks(
    runner: SystemRunner, pid_file: Path, asked: int
) -> None:
    code = (
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    expected = pytest.raises(StackError, match=r"did not answer within 0\.5 s")

    with (
        expected if asked else contextlib.nullcontext(),
        runner.beside(python(code, str(pid_file)), timeout_s=0.5) as taken,
    ):
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.01)
        if asked:
            taken()

    assert ended(int(pid_file.read_text()))


def test_a_missing_program_is_a_usage_error_with_its_name(runner: SystemRunner) -> None:
    with pytest.raises(UsageError) as caught:
        runner.capture(Command(("no-such-program-here", "x")))

    assert str(caught.value) == "no-such-program-here: not installed or not on PATH"
    assert caught.value.code == ExitCode.USAGE
    assert caught.value.hint == "install no-such-program-here, then run the task again"


def test_a_program_is_looked_up_on_the_commands_own_path(tmp_path: Path) -> None:
    program = tmp_path / ("hello.bat" if os.name == "nt" else "hello")
    program.write_text("@echo hi\n" if os.name == "nt" else "#!/bin/sh\necho hi\n")
    program.chmod(0o755)
    command = Command(("hello",), env={"PATH": str(tmp_path)})

    assert SystemRunner({"PATH": ""}).capture(command).stdout.strip() == "hi"


@POSIX
@pytest.mark.skipif(os.name != "posix", reason="the program is a script with a #! line")
def test_a_commands_own_programs_come_before_all_others_also_below_it(tmp_path: Path) -> None:
    for folder in ("own", "path"):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "tool"
        program.write_text(f"#!/bin/sh\necho {folder}\n")
        program.chmod(0o755)
    runner = SystemRunner({**os.environ, "PATH": f"{tmp_path / 'path'}{os.pathsep}{os.defpath}"})

    for argv in (("tool",), ("sh", "-c", "tool")):
        assert runner.capture(Command(argv)).stdout == "path\n"
        assert runner.capture(Command(argv, programs=tmp_path / "own")).stdout == "own\n"


def test_a_file_that_cannot_be_run_is_named(runner: SystemRunner, tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)

    with pytest.raises(StackError, match="could not be started"):
        runner.capture(Command((str(program),)))


def test_a_missing_working_directory_is_named(runner: SystemRunner, tmp_path: Path) -> None:
    command = Command((sys.executable, "-c", "pass"), cwd=tmp_path / "missing")

    with pytest.raises(StackError) as caught:
        runner.capture(command)

    assert caught.value.where == str(tmp_path / "missing")
    assert caught.value.message == "no such folder"


def test_require_passes_a_success_through() -> None:
    done = Completed(Command(("x",)), 0, "out")

    assert done.require("x", "failed") is done


def test_require_shows_the_last_words_of_a_failure() -> None:
    lines = "\n".join(str(number) for number in range(20))

    with pytest.raises(StackError, match="db: no dump") as caught:
        Completed(Command(("x",)), 1, "out", lines + "\n").require("db", "no dump", "look")

    assert caught.value.detail == tuple(str(number) for number in range(12, 20))
    assert caught.value.hint == "look"


def test_require_falls_back_to_standard_output() -> None:
    with pytest.raises(StackError) as caught:
        Completed(Command(("x",)), 1, "said here\n", "\n").require("db", "no dump")

    assert caught.value.detail == ("said here",)


def test_attach_hands_the_exit_code_on(runner: SystemRunner) -> None:
    assert runner.attach(python("raise SystemExit(5)")) == 5


def test_a_dry_run_reads_but_does_not_write(tmp_path: Path) -> None:
    shown: list[str] = []
    runner = SystemRunner(os.environ, dry=True, echo=lambda command: shown.append(str(command)))
    touch = python("import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", str(tmp_path / "x"))
    read = Command((sys.executable, "-c", "print('read')"), effect="read")

    assert runner.capture(touch) == Completed(touch, 0)
    assert runner.attach(touch) == 0
    with runner.start(touch) as running:
        assert running.wait(DEADLINE_S) == 0
    assert runner.capture(read).stdout == "read\n"

    assert list(tmp_path.iterdir()) == []
    assert shown == [str(touch)] * 3 + [str(read)]


def test_a_dry_run_does_not_need_the_program() -> None:
    runner = SystemRunner(os.environ, dry=True)

    assert runner.capture(Command(("no-such-program-here",))).code == 0


def test_a_command_is_echoed_before_it_runs() -> None:
    shown: list[Command] = []
    command = Command(("no-such-program-here",))

    with pytest.raises(UsageError):
        SystemRunner(os.environ, echo=shown.append).capture(command)

    assert shown == [command]


def test_a_running_program_is_read_line_by_line(runner: SystemRunner) -> None:
    code = "import sys; print('one'); print('two', file=sys.stderr)"
    with runner.start(python(code).with_env(PYTHONUNBUFFERED="1")) as running:
        assert running.wait(DEADLINE_S) == 0

        assert list(running.fresh()) == ["one", "two"]
        assert list(running.fresh()) == []
        assert running.tail == ("one", "two")
        assert running.poll() == 0


def test_the_tail_is_bounded(runner: SystemRunner) -> None:
    with runner.start(python("[print(n) for n in range(5000)]")) as running:
        running.wait(DEADLINE_S)

    assert len(running.tail) == TAIL_LINES
    assert running.tail[-1] == "4999"


def test_a_word_is_heard_also_inside_a_line_of_the_other_stream(runner: SystemRunner) -> None:
    script = "import os; [os.write(n, t) for n, t in "
    script += "((2, b'pg_restore:'), (1, b'done w1\\n'), (2, b' finished\\n'))]"
    with runner.start(Command((sys.executable, "-c", script))) as running:
        running.wait()
        assert running.tail == ("pg_restore:done w1", " finished")
        assert running.said("done w1")
        assert not running.said("done w2")


def test_a_binary_stream_is_left_to_the_caller(runner: SystemRunner) -> None:
    code = (
        "import sys\n"
        "sys.stdout.buffer.write(bytes(range(256)) * 1000)\n"
        "print('50 %', file=sys.stderr)\n"
    )
    with runner.start(python(code), binary=True) as running:
        assert running.stdout is not None
        data = running.stdout.read()
        running.wait(DEADLINE_S)

    assert data == bytes(range(256)) * 1000
    assert running.tail == ("50 %",)


def test_waiting_for_a_program_ends(runner: SystemRunner) -> None:
    with (
        runner.start(python("import time; time.sleep(60)")) as running,
        pytest.raises(TimeoutError),
    ):
        running.wait(0.05)


def test_a_running_program_reads_a_file_or_nothing(runner: SystemRunner, tmp_path: Path) -> None:
    feed = tmp_path / "dump"
    feed.write_bytes(b"a\nb\n")
    command = python("import sys; print(repr(sys.stdin.read()))")

    with runner.start(command, stdin=feed) as fed, runner.start(command) as hungry:
        fed.wait(DEADLINE_S)
        hungry.wait(DEADLINE_S)

    assert (fed.tail, hungry.tail) == (("'a\\nb\\n'",), ("''",))


@POSIX
def test_an_environment_passes_in_a_locale_that_cannot_spell_it() -> None:
    code = (
        "from invoke_stack.process import Command, SystemRunner\n"
        "import os, sys\n"
        "done = SystemRunner(dict(os.environ)).capture("
        "Command(('sh', '-c', 'printf %s \"$WORD\"'), env={'WORD': chr(233)}))\n"
        "sys.exit(done.stdout != chr(233))\n"
    )
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=plain | {"PYTHONCOERCECLOCALE": "0"}, check=False
    )

    assert done.returncode == 0


@POSIX
def test_an_environment_that_is_too_large_says_so() -> None:
    large = {f"KEY_{number}": "x" * 100_000 for number in range(100)}

    with pytest.raises(StackError) as caught:
        SystemRunner({"PATH": os.environ["PATH"]}).capture(Command(("true",), env=large))

    assert "env files are too large" in caught.value.hint


@POSIX
def test_what_is_detached_goes_on_by_itself_and_writes_into_its_log(
    runner: SystemRunner, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    code = "import os, sys; print(sys.stdin.read(), os.getsid(0) == os.getpid(), flush=True)"

    pid = runner.detach(python(code), log, stdin=b"fed")

    deadline = time.monotonic() + DEADLINE_S
    while "fed" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert log.read_text() == "before\nfed True\n"
    assert pid > 0


def test_a_dry_run_detaches_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    dry = SystemRunner(dict(os.environ), dry=True, echo=lambda command: said.append(str(command)))

    assert dry.detach(Command(("server", "--now")), tmp_path / "log") == 0
    assert said == ["server --now"]
    assert not (tmp_path / "log").exists()


def test_a_folder_that_is_handed_over_is_named_in_the_command_line(
    runner: SystemRunner, tmp_path: Path
) -> None:
    code = "import os, sys; print(os.path.samefile(sys.argv[1], sys.argv[2]))"
    plain = Command((sys.executable, "-c", code, FOLDER, str(tmp_path)), folder=tmp_path)

    assert runner.capture(plain).stdout == "True\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_can_start_a_program_as_another_user_in_a_folder_that_this_one_cannot_reach(
    runner: SystemRunner, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    os.chown(closed / "data", 65534, 65534)
    closed.chmod(0o700)
    argv = ("/bin/sh", "-c", "id -u; echo kept > $0/file", FOLDER)
    command = Command(argv, account=(65534, 65534), folder=closed / "data", cwd=Path("/"))

    done = runner.capture(command)

    assert (done.code, done.stdout, done.stderr) == (0, "65534\n", "")
    assert (closed / "data" / "file").read_text() == "kept\n"

"""What shells offer: the helper as scripts call it, and real shells with a terminal."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.completion import values
from invoke_stack.tasks import completing

if TYPE_CHECKING:
    from conftest import Stage

HELPER = (sys.executable, "-m", "invoke_stack.tasks.completing", "inv")
WAIT_S = 20


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """Return a project with something to offer, and no program but this Python's."""
    stage.write(
        "compose.yaml", "services:\n  web: {image: web}\n  worker: {image: web}\n  db: {}\n"
    )
    stage.write("compose.prod.yaml", "services:\n  proxy: {image: proxy}\n")
    stage.write(".env", "DATABASE_URL=x\nPORT=3000\n")
    stage.write("backups/app/app-20260101T000000Z-pg16.dump", "")
    stage.write(".invoke-stack/snapshots.json", '{"snapshots":[{"name":"before-upgrade"}]}')
    return stage


def offered(stage: Stage, *words: str, **environ: str) -> list[str]:
    ran = stage.inv(*words, program=HELPER, **environ)
    assert (ran.code, ran.err) == (0, "")
    return ran.out.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("stack.logs", "-s", ""), ["db", "web", "worker"]),
        (("stack.logs", "-s", "w"), ["web", "worker"]),
        (("stack.logs", "--service", "wo"), ["worker"]),
        (("stack.logs", "--service=wo"), ["--service=worker"]),
        (("stack.logs", "--service", "=", "wo"), ["worker"]),
        (("stack.logs", "--service", "="), ["db", "web", "worker"]),
        (("stack.logs", "-s", "web", "-s", "d"), ["db"]),
        (("stack.up", "--prod", "-s", ""), ["db", "proxy", "web", "worker"]),
        (("db.restore", "--file", ""), ["latest", "app-20260101T000000Z-pg16.dump"]),
        (("db.verify", "--file", "l"), ["latest"]),
        (("db.pin", "--file", "app"), ["app-20260101T000000Z-pg16.dump"]),
        (("db.rewind", "--name", ""), ["before-upgrade"]),
        (("parity.explain", "-r", "PAR90"), ["PAR901", "PAR902", "PAR903"]),
        (("env.explain", "-k", ""), ["DATABASE_URL", "PORT"]),
        (("db.url", "--target", ""), ["DATABASE_URL"]),
        (("stack.up", "--mode", "sta"), ["staging"]),
        (("env.diff", "--from", "d"), ["dev"]),
        (("parity.check", "--fail-on", ""), ["error", "warning", "info"]),
        (("stack.completion", "--shell", ""), ["bash", "zsh", "fish"]),
        (("db.backup", "--label", ""), []),
        (("stack.logs", "--foll"), ["--follow"]),
        (("stack.log",), ["stack.logs"]),
        (("stack.stop", "stack.sta"), ["stack.start", "stack.stats"]),
        (("--ech",), ["--echo"]),
        (("stack.exec", "-s", "web", "--", "no"), []),
    ],
)
def test_candidates(shop: Stage, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(shop, *words) == expected


def test_every_flag_with_values_leads_to_a_function() -> None:
    named = {*completing.BY_FLAG.values(), *completing.BY_TASK.values()}

    assert all(callable(getattr(values, name)) for name in named)
    assert named >= completing.ALWAYS


def test_a_task_that_does_not_exist_has_no_values(shop: Stage) -> None:
    assert not {"db", "web", "worker"} & set(offered(shop, "nothing.known", "-s", ""))


def test_nothing_but_the_line_starts_every_task(shop: Stage) -> None:
    assert {"stack.up", "db.backup", "parity.check"} <= set(offered(shop, ""))


def test_no_program_is_started_and_nothing_is_written(shop: Stage) -> None:
    before = shop.snapshot()

    for words in (("stack.logs", "-s", ""), ("env.explain", "-k", ""), ("db.rewind", "--name", "")):
        assert offered(shop, *words)

    assert shop.calls() == []
    assert shop.snapshot() == before


def test_own_tasks_keep_their_own_flags(shop: Stage) -> None:
    shop.write(
        "tasks.py",
        "from invoke import task\nfrom invoke_stack import namespace\n\nns = namespace()\n\n\n"
        "@task\ndef deploy(c, service='', file=''):\n    '''Deploy.'''\n\n\nns.add_task(deploy)\n",
    )

    assert offered(shop, "dep") == ["deploy"]
    assert offered(shop, "deploy", "--ser") == ["--service"]
    assert offered(shop, "deploy", "--service", "") == []


def test_single_collections_of_another_name(shop: Stage) -> None:
    shop.write(
        "tasks.py",
        "from invoke import Collection\nfrom invoke_stack.tasks import stack\n\n"
        "ns = Collection(ours=Collection.from_module(stack))\n",
    )

    assert offered(shop, "ours.logs", "-s", "d") == ["db"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tasks.py", "def broken(:\n"),
        ("tasks.py", "raise RuntimeError('no')\n"),
        ("tasks.py", "import sys\n\nsys.exit(3)\n"),
        ("tasks.py", "print('hello')\n"),
        ("invoke.yaml", "stack:\n\tbroken\n"),
        ("invoke.yaml", "stack: {servic: pg}\n"),
        ("invoke.yaml", "stack: {modes: {qa: {}}}\n"),
    ],
)
def test_a_broken_project_offers_nothing_and_says_nothing(
    shop: Stage, file: str, text: str
) -> None:
    shop.write(file, text)

    assert offered(shop, "stack.logs", "-s", "") in ([], ["db", "web", "worker"])


def test_outside_a_project_nothing_is_offered(shop: Stage, tmp_path: Path) -> None:
    ran = shop.inv("stack.logs", "-s", "", cwd=tmp_path, program=HELPER)

    assert (ran.code, ran.out.strip(), ran.err) == (0, "", "")


def test_the_task_prints_the_script(shop: Stage) -> None:
    ran = shop.inv("stack.completion", "--shell", "bash")

    assert ran.code == 0
    assert "complete -o default -F _inv_stack inv invoke" in ran.out

    wrong = shop.inv("stack.completion")
    assert (wrong.code, wrong.out) == (2, "")
    assert "hint: inv stack.completion --shell bash, zsh or fish" in wrong.err


class Terminal:
    """A shell with a terminal of its own, in which somebody types."""

    def __init__(self, stage: Stage, *argv: str) -> None:
        self._main, side = os.openpty()
        environ = {**stage.environ, "TERM": "dumb", "PS1": "> "}
        environ["PATH"] = f"{Path(stage.program).parent}:{environ['PATH']}"
        self.process = subprocess.Popen(
            argv, cwd=stage.root, env=environ, stdin=side, stdout=side, stderr=side,
            start_new_session=True,
        )  # fmt: skip
        os.close(side)

    def types(self, text: str, expected: str) -> str:
        """Type; return what is on the screen once it shows what is expected, or the time is up."""
        os.write(self._main, text.encode())
        seen, end = b"", time.monotonic() + WAIT_S
        while expected.encode() not in seen and time.monotonic() < end:
            if select.select([self._main], [], [], 0.1)[0]:
                try:
                    seen += os.read(self._main, 65536)
                except OSError:  # Linux's word for a terminal whose last program has ended
                    break
        return seen.decode(errors="replace")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._main)


SHELLS = {
    "bash": (("bash", "--norc", "-i"), "source"),
    "zsh": (("zsh", "-f", "-i"), "autoload -U compinit; compinit -u -D; source"),
}


@contextlib.contextmanager
def started(stage: Stage, shell: str) -> Iterator[Terminal]:
    argv, source = SHELLS[shell]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{shell} is not installed")
    script = stage.write(f"../inv.{shell}", stage.inv("stack.completion", "--shell", shell).out)
    terminal = Terminal(stage, *argv)
    try:
        assert "\nready" in terminal.types(f"{source} '{script}'; echo rea''dy\n", "\nready")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_in_a_real_shell_completes_values(shop: Stage, shell: str) -> None:
    with started(shop, shell) as terminal:
        for typed, expected in (
            ("inv stack.logs -s wo\t", "worker"),
            ("inv stack.logs --service=wo\t", "--service=worker"),
            ("inv db.rewind --name be\t", "before-upgrade"),
            ("inv stack.com\t", "stack.completion"),
            ("inv db.verify --file app-\t", "app-20260101T000000Z-pg16.dump"),
        ):
            screen = terminal.types(typed, expected)
            assert expected in screen
            assert "rror" not in screen
            terminal.types("\x15", "")  # ^U empties the line


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_offers_files_where_nothing_else_is_known(shop: Stage, shell: str) -> None:
    shop.write("unmistakable.dump", "")

    with started(shop, shell) as terminal:
        assert "unmistakable.dump" in terminal.types(
            "inv db.backup --to unm\t", "unmistakable.dump"
        )


def test_zsh_finds_the_script_in_its_function_path(shop: Stage) -> None:
    zsh = shutil.which("zsh")
    if zsh is None:
        pytest.skip("zsh is not installed")
    shop.write("../functions/_inv", shop.inv("stack.completion", "--shell", "zsh").out)
    setup = f"fpath=('{shop.root.parent}/functions' $fpath); autoload -U compinit; compinit -u -D"
    terminal = Terminal(shop, zsh, "-f", "-i")
    try:
        assert "\nready" in terminal.types(f"{setup}; echo rea''dy\n", "\nready")
        for _ in range(2):  # the first call loads it
            assert "worker" in terminal.types("inv stack.logs -s wo\t", "worker")
            terminal.types("\x15", "")
    finally:
        terminal.close()


def fish_offers(stage: Stage, line: str, path: str = "") -> list[str]:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("fish is not installed")
    script = stage.write("../inv.fish", stage.inv("stack.completion", "--shell", "fish").out)
    text = f"source '{script}'; complete -C '{line}'"
    path = path or f"{Path(stage.program).parent}:{stage.environ['PATH']}"
    ran = stage.inv("--no-config", "-c", text, program=(fish,), PATH=path)
    assert (ran.code, ran.err) == (0, "")
    return sorted(each.split("\t")[0] for each in ran.out.splitlines())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("inv stack.logs -s ", ["db", "web", "worker"]),
        ("inv stack.logs -s wo", ["worker"]),
        ("inv stack.logs --service=wo", ["--service=worker"]),
        ("inv stack.com", ["stack.completion"]),
        ("inv db.backup --to back", ["backups/"]),
    ],
)
def test_fish_completes_values(shop: Stage, line: str, expected: list[str]) -> None:
    assert fish_offers(shop, line) == expected


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return an `inv` whose interpreter has no invoke_stack: it finds no site-packages."""
    path = tmp_path / "other" / "inv"
    path.parent.mkdir()
    path.write_text(
        f"#!{sys.executable} -SE\nimport sys\nprint('seen', *sys.argv[1:2], sep='\\n')\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_where_the_library_is_missing_invoke_answers(shop: Stage, other: Path, shell: str) -> None:
    with started(shop, shell) as terminal:
        terminal.types(f"PATH='{other.parent}:/usr/bin:/bin'; echo chan''ged\n", "\nchanged")
        assert "inv seen" in terminal.types("inv se\t", "inv seen")


def test_where_the_library_is_missing_invoke_answers_fish(shop: Stage, other: Path) -> None:
    assert fish_offers(shop, "inv se", f"{other.parent}:/usr/bin:/bin") == ["seen"]

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_stack import files
from invoke_stack.errors import BusyError, ExitCode, StackError, UsageError

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
NOT_ROOT = pytest.mark.skipif(
    os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "env"

    assert files.write(path, "KEY=größe\n") is True
    assert path.read_bytes() == "KEY=größe\n".encode()
    assert names(path.parent) == ["env"]


@POSIX
def test_a_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("old")
    path.chmod(0o644)

    files.write(path, "new")

    assert mode(path) == 0o600


def test_an_equal_file_is_left_alone_with_its_time_stamp(tmp_path: Path) -> None:
    path = tmp_path / "env"
    files.write(path, "same")
    os.utime(path, (1, 1))

    assert files.write(path, "same") is False
    assert path.stat().st_mtime == 1
    assert files.write(path, "other") is True


@POSIX
def test_a_link_is_replaced_and_what_it_points_at_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(target)

    assert files.write(link, "new") is True

    assert target.read_text() == "precious"
    assert not link.is_symlink()
    assert link.read_text() == "new"


@POSIX
def test_a_link_to_equal_content_becomes_a_file_too(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("same")
    link = tmp_path / "link"
    link.symlink_to(target)

    assert files.write(link, "same") is True
    assert not link.is_symlink()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.mkdir()
    (path / "inside").write_text("precious")

    with pytest.raises(StackError, match="cannot be written"):
        files.write(path, "new")

    assert names(tmp_path) == ["env"]
    assert (path / "inside").read_text() == "precious"


@POSIX
def test_a_full_disk_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    # A limit on file sizes fails half-way through, as a full disk does.
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from invoke_stack import files\n"
        "from invoke_stack.errors import StackError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    files.write(Path(sys.argv[1]), 'x' * 100_000)\n"
        "except StackError as problem:\n"
        "    print(problem.message)\n"
    )
    path = tmp_path / "env"
    path.write_text("old")

    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, check=True, text=True
    )

    assert done.stdout.startswith("cannot be written: ")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["env"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")

    with pytest.raises(UsageError, match="cannot be created"):
        files.write(tmp_path / "a" / "env", "x")


@POSIX
@NOT_ROOT
def test_a_folder_without_rights_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StackError, match="cannot be written"):
        files.write(tmp_path / "env", "x")


def test_a_new_private_file_is_never_an_existing_one(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text("there")

    with pytest.raises(StackError, match="cannot be written") as caught:
        files.create_private(path)

    assert caught.value.where == str(path)
    assert path.read_text() == "there"


@POSIX
def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "dump"
    link.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StackError, match="cannot be written"):
        files.create_private(link)

    assert names(tmp_path) == ["dump"]


@POSIX
def test_a_private_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        os.close(files.create_private(tmp_path / "dump"))
    finally:
        os.umask(before)

    assert mode(tmp_path / "dump") == 0o600


def test_the_state_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    folder = files.state_folder(tmp_path)

    assert folder == tmp_path / ".invoke-stack"
    assert (folder / ".gitignore").read_text() == "*\n"
    if os.name == "posix":
        assert mode(folder) == 0o700


def test_the_state_folder_keeps_what_is_in_it(tmp_path: Path) -> None:
    folder = files.state_folder(tmp_path)
    (folder / ".gitignore").write_text("mine")
    (folder / "state.json").write_text("{}")

    assert files.state_folder(tmp_path) == folder
    assert (folder / ".gitignore").read_text() == "mine"
    assert (folder / "state.json").exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_a_json_file_that_is_no_object_reads_as_an_empty_one(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)

    assert files.read_json(path) == {}


def test_a_json_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"mode": "dev"}')

    assert files.read_json(path) == {"mode": "dev"}
    assert files.read_json(tmp_path / "missing") == {}


HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from invoke_stack import files\n"
    "with files.lock(Path(sys.argv[1]), 'x'):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


@contextlib.contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_a_lock_that_another_run_holds_names_it(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "up.lock"
    path.parent.mkdir()

    with (
        holder(path) as other,
        pytest.raises(BusyError) as caught,
        files.lock(path, "stack.up"),
    ):
        pass

    assert str(caught.value) == (f"stack.up: another run is busy with it (process {other.pid})")
    assert caught.value.code == ExitCode.BUSY


def test_a_lock_is_free_again_after_the_block_and_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"

    with contextlib.suppress(KeyError), files.lock(path, "x"):
        raise KeyError
    with files.lock(path, "x"):
        assert path.read_text() == str(os.getpid())
    with files.lock(path, "x"):
        pass


def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    with holder(path) as other:
        other.kill()
        other.wait()

        with files.lock(path, "x"):
            assert path.read_text() == str(os.getpid())


def test_a_lock_waits_as_long_as_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    with holder(path) as other:
        timer = threading.Timer(0.3, other.kill)
        timer.start()

        with files.lock(path, "x", wait_s=20):
            pass

        timer.join()


def test_waiting_for_a_lock_ends(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    began = time.monotonic()

    with holder(path), pytest.raises(BusyError), files.lock(path, "x", wait_s=0.2):
        pass

    assert time.monotonic() - began < 10


def test_a_program_started_under_a_lock_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "up.lock"
    with files.lock(path, "x"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with files.lock(path, "x"):
            pass
    finally:
        child.kill()
        child.wait()


@POSIX
def test_a_lock_does_not_follow_a_planted_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "up.lock").symlink_to(target)

    with (
        pytest.raises(StackError, match="cannot be locked"),
        files.lock(tmp_path / "up.lock", "x"),
    ):
        pass

    assert target.read_text() == "precious"


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "up.lock").mkdir()

    with pytest.raises(StackError, match=r"up\.lock"), files.lock(tmp_path / "up.lock", "x"):
        pass


@pytest.mark.parametrize(("make", "hint"), [("touch", "a file is"), ("mkdir", "a folder is")])
def test_what_is_in_the_way_is_said(tmp_path: Path, make: str, hint: str) -> None:
    getattr(tmp_path / "there", make)()
    path = tmp_path / "there" / "x" if make == "touch" else tmp_path / "there"

    with pytest.raises(StackError) as caught:
        files.write(path, "text")

    assert caught.value.hint.startswith(hint)

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from invoke_stack import rights
from invoke_stack.errors import ExitCode

POSIX = pytest.mark.skipif(os.name != "posix", reason="owners of POSIX")


def problem(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (errno.EROFS, ExitCode.USAGE, "it is mounted read-only: name another folder"),
        (errno.ENOSPC, ExitCode.FAILED, "make room on the disk"),
        (errno.ENOTDIR, ExitCode.FAILED, "a file is in the way"),
        (errno.ELOOP, ExitCode.FAILED, "a link is in the way"),
    ],
)
def test_what_the_system_refuses_has_a_way_out(
    tmp_path: Path, number: int, code: ExitCode, hint: str
) -> None:
    found = rights.error(tmp_path / "x", "cannot be written", problem(number))

    assert found.where == str(tmp_path / "x")
    assert found.message == f"cannot be written: {os.strerror(number).lower()}"
    assert found.code == code
    assert found.hint.startswith(hint)


@POSIX
def test_the_nearest_folder_that_is_there_is_the_one_to_make_yours(tmp_path: Path) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()

    found = rights.way_out(folder / "not" / "there", problem(errno.EACCES))

    assert found == f"it is yours but not writable: chmod u+rwX '{folder}'"


@POSIX
def test_a_file_of_somebody_else_is_named_with_its_owner() -> None:
    if os.geteuid() == 0:
        pytest.skip("everything here is root's")

    found = rights.way_out(Path("/etc/hostname"), problem(errno.EACCES))

    assert found == 'it belongs to root: sudo chown -R "$(id -un)" /etc/hostname'

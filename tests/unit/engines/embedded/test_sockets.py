from __future__ import annotations

import os
from pathlib import Path

import pytest

from invoke_stack.engines.embedded import sockets

if os.name != "posix":
    pytest.skip("unix sockets", allow_module_level=True)


def test_a_folder_is_given_up_only_where_no_socket_lies_in_it(tmp_path: Path) -> None:
    used = sockets.make(tmp_path, None)
    try:
        (used / ".s.PGSQL.5432").touch()
        sockets.give_up(str(used))
        assert used.is_dir()

        sockets.clean(str(used))
        sockets.give_up(str(used))
        assert not used.exists()
        sockets.give_up(str(used))  # as it is where the folders for temporary files were emptied
    finally:
        sockets.remove(str(used))


def test_a_folder_that_others_can_enter_is_passed_over_and_the_new_one_kept(tmp_path: Path) -> None:
    planted = sockets.make(tmp_path, None)
    planted.chmod(0o777)
    own = sockets.make(tmp_path, None)
    try:
        assert own != planted
        assert sockets.make(tmp_path, None, known=str(own)) == own
        assert sockets.make(tmp_path, None, known=str(planted)) not in (own, planted)
    finally:
        for each in planted.parent.glob(f"{planted.name}*"):
            sockets.remove(str(each))

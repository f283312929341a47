from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.images import zstd
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import load

DATA = os.urandom(3_000_000) + b"text " * 400_000


def module() -> Any:
    for name in zstd.MODULES:
        with suppress(ImportError):
            return importlib.import_module(name)
    return pytest.skip("this Python has no zstd")


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Project]:
    def make(path: str) -> Project:
        environ = {"PATH": path}
        return Project(tmp_path, load([]), SystemRunner(environ), environ)

    return make


@pytest.fixture(params=["module", "program"])
def unpack(request: pytest.FixtureRequest, project: Callable[[str], Project]) -> zstd.Unpack:
    found = os.environ.get("PATH", os.defpath)
    by_program = request.param == "program"
    if by_program and not shutil.which("zstd", path=found):
        pytest.skip("zstd is not installed")
    ours = zstd.unpacker(project(found if by_program else ""), () if by_program else zstd.MODULES)
    assert ours is not None
    return ours


def parts(data: bytes, size: int = 100_000) -> list[memoryview]:
    whole = memoryview(data)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def test_what_was_packed_comes_out_in_pieces(unpack: zstd.Unpack) -> None:
    pieces = list(unpack(parts(module().compress(DATA))))

    assert b"".join(pieces) == DATA
    assert max(map(len, pieces)) <= 1 << 20


def test_frames_that_follow_each_other_are_one_file(unpack: zstd.Unpack) -> None:
    packed = module().compress(DATA[:1000]) + module().compress(DATA[1000:5000])

    assert b"".join(unpack(parts(packed, 7))) == DATA[:5000]


@pytest.mark.parametrize("cut", [-100, 3])
def test_a_damaged_file_is_an_error(unpack: zstd.Unpack, cut: int) -> None:
    found = module()
    checked = {found.CompressionParameter.checksum_flag: 1}
    packed = bytearray(found.compress(DATA, options=checked))
    packed[cut] ^= 0xFF

    with pytest.raises(ValueError, match=r"\w"):
        b"".join(unpack(parts(bytes(packed))))


def test_who_stops_early_leaves_no_program_behind(unpack: zstd.Unpack) -> None:
    for piece in unpack(parts(module().compress(DATA))):
        assert DATA.startswith(piece)
        break


def test_a_machine_with_neither_has_no_unpacker(project: Callable[[str], Project]) -> None:
    assert zstd.unpacker(project(""), ()) is None

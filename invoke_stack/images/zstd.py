"""Layers that are compressed with zstd: by Python's module, else by the program.

Python has the module since 3.14; `backports.zstd` is the same one for older versions and comes
with `pip install 'invoke-stack[zstd]'`. What is there is used, in this order; nothing has to be.
"""

from __future__ import annotations

import importlib
import io
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

from invoke_stack.images.tar import PIECE
from invoke_stack.process import Command, Running
from invoke_stack.project import Project

MODULES = ("compression.zstd", "backports.zstd")
PROGRAM = ("zstd", "--decompress", "--stdout", "--quiet")
INSTALL = "install zstd, or pip install 'invoke-stack[zstd]'"

Parts = Iterable[bytes | memoryview]
Unpack = Callable[[Parts], Iterator[bytes]]
"""Turns a compressed blob into what was put into it; raises `ValueError` where it is damaged."""


def unpacker(project: Project, modules: Iterable[str] = MODULES) -> Unpack | None:
    """Return what unpacks zstd on this machine, or None."""
    for name in modules:
        with suppress(ImportError):
            module = importlib.import_module(name)
            return lambda parts: _by_module(module, parts)
    if shutil.which(PROGRAM[0], path=project.environ.get("PATH")):
        return lambda parts: _by_program(project, parts)
    return None


def _by_module(module: Any, parts: Parts) -> Iterator[bytes]:
    frame = module.ZstdDecompressor()
    try:
        for part in parts:
            waiting = bytes(part)
            while waiting or not (frame.needs_input or frame.eof):
                yield frame.decompress(waiting, PIECE)
                waiting = b""
                if frame.eof:  # another frame may follow
                    waiting, frame = frame.unused_data, module.ZstdDecompressor()
    except module.ZstdError as problem:
        raise ValueError(str(problem)) from problem


def _by_program(project: Project, parts: Parts) -> Iterator[bytes]:
    command = Command(PROGRAM, effect="read")
    over = threading.Event()
    with project.runner.start(command, binary=True, fed=True) as running:
        feeder = threading.Thread(target=_feed, args=(running, parts, over), daemon=True)
        feeder.start()
        found = cast("io.BufferedReader", running.stdout)
        try:
            while data := found.read1(PIECE):
                yield data
        finally:
            over.set()
        feeder.join()
        if running.wait():
            raise ValueError(next(iter(running.tail), "zstd failed"))


def _feed(running: Running, parts: Parts, over: threading.Event) -> None:
    with suppress(EOFError):  # whoever reads the image says that it breaks off
        for part in parts:
            if over.is_set():
                break
            running.feed(part)
    running.fed()

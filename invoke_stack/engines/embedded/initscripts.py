"""The scripts that fill a new database: which there are, and what is in them."""

from __future__ import annotations

import gzip
import lzma
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from invoke_stack.errors import UsageError

_PACKERS = {".gz": "gzip", ".xz": "xz"}
_KNOWN = re.compile(r"\.(sh|sql|sql\.gz|sql\.xz)$")


def find(
    folder: Path | None, single: Sequence[Path] = ()
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the init scripts in a folder and those mounted one by one, and files that are none."""
    listed = list(folder.iterdir()) if folder is not None and folder.is_dir() else []
    found = sorted((*listed, *single), key=lambda each: each.name)
    known = tuple(each for each in found if _KNOWN.search(each.name) and each.is_file())
    return known, tuple(each for each in found if each not in known)


def options(script: Path) -> tuple[str, ...]:
    """Return how the image runs a script: one that may not be executed is a part of its own.

    That part ends at the first command that fails.
    https://github.com/docker-library/postgres/blob/master/docker-entrypoint.sh
    """
    return () if os.access(script, os.X_OK) else ("-Ee", "-o", "pipefail")


def sql(script: Path, where: str) -> bytes:
    """Return the statements of a script, unpacked.

    Raises:
        UsageError: it is packed and broken.
    """
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(script.suffix, bytes)
    try:
        return unpack(script.read_bytes())
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as problem:
        hint = f"pack it again with {_PACKERS[script.suffix]}, then: inv stack.up"
        raise UsageError(where, f"is no whole {script.suffix} file", hint=hint) from problem

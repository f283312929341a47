"""What all databases of a server share: roles and tablespaces, saved beside a backup."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.database import forms, names
from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError
from invoke_stack.project import Project

_END_BYTES = 512


def read(project: Project, target: Target) -> str:
    """Return the script that makes the server's roles again; it holds no password.

    Raises:
        StackError: our user may not read them, or the script is not whole.
    """
    exporter = forms.exporter(target.provider)
    done = project.runner.capture(target.inside(exporter.globals()), timeout_s=targets.QUERY_S)
    if done.code != 0:
        raise targets.failed(project, target, done)
    if not exporter.complete(done.stdout.encode()[-_END_BYTES:]):
        text = "the script of roles broke off before its end; nothing was written"
        raise StackError("db.backup --globals", text, hint="run it again")
    return done.stdout


def described(final: Path, script: str) -> Mapping[str, Any]:
    """Return what a manifest says about the script; nothing without one."""
    if not script:
        return {}
    data = script.encode()
    name = names.globals_of(final).name
    return {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@contextlib.contextmanager
def written(final: Path, script: str) -> Iterator[None]:
    """Have the script beside a backup; it is gone again when the block fails."""
    path = names.globals_of(final)
    if script:
        if path.is_symlink() or path.exists():
            raise StackError(str(path), "is in the way of the roles' script")
        files.write(path, script)
    try:
        yield
    except BaseException:
        if script:
            path.unlink(missing_ok=True)
        raise


def problem(final: Path, wanted: Mapping[str, Any]) -> str:
    """Return what is wrong with the script that a manifest names, or ""."""
    if not wanted:
        return ""
    try:
        data = names.globals_of(final).read_bytes()
    except OSError:
        return f"{wanted.get('file')} is gone"
    same = hashlib.sha256(data).hexdigest() == wanted.get("sha256")
    return "" if same else f"{wanted.get('file')} has changed"

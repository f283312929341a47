"""Readers that a project adds: objects, or the places of objects."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import Reader

_WHERE = "stack.parity.readers"


def reader_objects(entries: Iterable[Any]) -> tuple[Reader, ...]:
    """Return the readers; a class is called without arguments.

    Raises:
        UsageError: no such object, or one that is no reader.
    """
    return tuple(_reader(each) for each in entries)


def _reader(entry: Any) -> Reader:
    found = _loaded(entry) if isinstance(entry, str) else entry
    found = found() if isinstance(found, type) else found
    missing = [name for name in ("name", "detect", "read") if not hasattr(found, name)]
    if missing:
        hint = "a reader has name, detect(workspace) and read(workspace, files, options)"
        raise UsageError(_WHERE, f"{entry!s:.80} has no {missing[0]}", hint=hint)
    reader: Reader = found
    return reader


def _loaded(text: str) -> Any:
    module, colon, name = text.partition(":")
    if not colon:
        raise UsageError(
            _WHERE, f"{text}: not of the form module:name", hint="deploy.fly:FlyReader"
        )
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        hint = "it is imported from the folder of tasks.py"
        raise UsageError(_WHERE, f"{text}: no such object", hint=hint) from None

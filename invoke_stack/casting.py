"""Mappings and texts turned into frozen dataclasses, or into an error that names the place."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from invoke_stack import shapes
from invoke_stack.errors import UsageError


def build(kind: type[Any], values: Any, source: str, path: str) -> Any:
    """Return ``kind`` built from a mapping, or say which key is wrong, and where."""
    if not isinstance(values, Mapping):
        raise shapes.expected(source, path, "a mapping", shapes.kind(values))
    hints = typing.get_type_hints(kind)
    known = {item.name: item.metadata for item in dataclasses.fields(kind)}
    found = {}
    for key, value in values.items():
        if key not in known:
            raise unknown(f"{path}.{key}", source, [f"{path}.{name}" for name in sorted(known)])
        if value is not None:
            found[key] = _cast(hints[key], value, source, f"{path}.{key}")
            choices = known[key].get("choices", ())
            shapes.fitting(source, f"{path}.{key}", found[key], choices)
    return kind(**found)


def unknown(path: str, source: str, known: Sequence[str], *, head: str = "") -> UsageError:
    """Return the error for a setting that does not exist, with the nearest one that does."""
    # What all of them begin with would make every name look near.
    head = head or f"{path.rpartition('.')[0]}."
    tails = [name.removeprefix(head) for name in known]
    near = difflib.get_close_matches(path.removeprefix(head), tails, n=1, cutoff=0.6)
    hint = f"did you mean {head}{near[0]}?" if near else f"known here: {', '.join(known)}"
    return UsageError(source, f"{path}: unknown setting", hint=hint)


def _cast(hint: Any, value: Any, source: str, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(typing.cast("type[Any]", hint), value, source, path)
    if typing.get_origin(hint) is not None and issubclass(typing.get_origin(hint), Mapping):
        if not isinstance(value, Mapping):
            raise shapes.expected(source, path, "a mapping", shapes.kind(value))
        item = typing.get_args(hint)[1]
        # A name with nothing below it is there, with every default.
        empty: Any = {} if dataclasses.is_dataclass(item) else ""
        given = {str(key): empty if each is None else each for key, each in value.items()}
        return {key: _cast(item, each, source, f"{path}.{key}") for key, each in given.items()}
    if typing.get_origin(hint) is tuple:
        return _tuple(hint, value, source, path)
    return _scalar(hint, value, source, path)


def _tuple(hint: Any, value: Any, source: str, path: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise shapes.expected(source, path, "a list", shapes.kind(value))
    item = typing.get_args(hint)[0]
    places = (f"{path}[{index}]" for index in range(len(value)))
    if dataclasses.is_dataclass(item):
        kind = typing.cast("type[Any]", item)
        return tuple(
            build(kind, each, source, place) for each, place in zip(value, places, strict=False)
        )
    return tuple(_scalar(item, each, source, path) for each in value)


def _scalar(hint: Any, value: Any, source: str, path: str) -> Any:
    if hint is str and isinstance(value, dt.date):
        value = value.isoformat()  # what YAML makes of 2026-12-31 without quotes
    fits = hint is Any or isinstance(value, hint)
    if not fits or (hint is int and isinstance(value, bool)):
        raise shapes.expected(source, path, shapes.KINDS[hint], shapes.kind(value))
    return value


def from_text(hint: Any, text: str, name: str) -> Any:
    """Return the value that a variable's text means for a setting of this type.

    Raises:
        UsageError: the type does not accept it.
    """
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False, "": False}
    if typing.get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if hint is bool and text.casefold() in words:
        return words[text.casefold()]
    if hint is int and text.strip().isdecimal():
        return int(text.strip()[:20])  # Python refuses to read more than some 4000 digits
    if hint in {bool, int}:
        raise shapes.expected(name, name, shapes.KINDS[hint], "another text")
    return text

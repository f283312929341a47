"""What a resolved env has to tell the user beside its values; never a secret."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from invoke_stack.compose.variables import Variable
    from invoke_stack.environment.expansion import Definitions, Expansion
    from invoke_stack.environment.values import Place, Value
    from invoke_stack.modes import Mode


def overruled(
    node_env: Value | None, environ: Mapping[str, str], expansion: Expansion
) -> Iterator[str]:
    """Say where another NODE_ENV than the mode's stands."""
    if node_env is None or node_env.origin != "mode":
        return
    told = set()
    for place in node_env.shadowed:
        text = environ["NODE_ENV"] if place.origin == "process" else None
        if place.origin == "file" and "file" not in told:
            text = expansion.in_layers("NODE_ENV")
        if text is not None and text != node_env.text:
            yield f"NODE_ENV is {node_env.text}, as the mode says, not as {place}"
        told.add(place.origin)


def local_over_mode(mode: Mode, values: Mapping[str, Value]) -> Iterator[str]:
    """Say where `.env.local` beats the mode's own file where production values count."""
    if mode.node != "production":
        return
    for value in values.values():
        if value.file is None or PurePosixPath(value.file).name != ".env.local":
            continue
        for place in value.shadowed:
            if _is_own(place, mode):
                yield f"{value.key} comes from {value.place}, which shadows {place}"
                break


def empty_references(
    definitions: Definitions,
    values: Mapping[str, Value],
    expansion: Expansion,
) -> Iterator[str]:
    """Say which values refer to a variable that nobody sets, and are shorter for it."""
    for value in values.values():
        if value.origin != "file" or value.text is None:
            continue
        template, file, line = definitions[value.key][-1]
        for part in template:
            if (
                isinstance(part, Reference)
                and not part.operator
                and part.name != value.key
                and expansion.value(part.name) is None
            ):
                # In a secret, the "name" may be the rest of a password with a dollar sign.
                name = "a variable" if value.sensitive else part.name
                what = f"{value.key} refers to {name} that nobody sets; it reads as empty"
                yield f"{file}:{line}: {what}"
                break


def two_defaults(variables: Iterable[Variable], values: Mapping[str, Value]) -> Iterator[str]:
    """Say which variables take different defaults in different places."""
    first: dict[str, Variable] = {}
    told = set()
    for variable in variables:
        if variable.default is None or not _is_default(values.get(variable.name)):
            continue
        other = first.setdefault(variable.name, variable)
        if other.default != variable.default and variable.name not in told:
            told.add(variable.name)
            yield f"{variable.name} has different defaults in {other.where} and {variable.where}"


def _is_own(place: Place, mode: Mode) -> bool:
    shared = {".env", ".env.local"}
    return place.file is not None and PurePosixPath(place.file).name in set(mode.layers) - shared


def _is_default(value: Value | None) -> bool:
    return value is not None and value.origin == "compose"

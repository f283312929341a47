"""What a setting's value has to look like, and the error for one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_stack.errors import UsageError

KINDS = {bool: "true or false", int: "a number", str: "a text", type(None): "nothing"}
LARGEST = 10**9
"""No setting means a larger number; some clocks and sockets cannot take one."""

_EXAMPLES = {
    "a mapping": "{name}: with its own settings below it; docs/settings.md has all of them",
    "a list": "{name}: [first, second]",
    "a text": '{name}: "…"',
    "a number": "{name}: 60",
    "true or false": "{name}: true",
}


def kind(value: Any) -> str:
    """Return what a value is, in the words of the settings' table."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return KINDS.get(type(value), f"a value of type {type(value).__name__}")


def expected(source: str, path: str, what: str, found: str) -> UsageError:
    """Return the error for a value of another kind, with the spelling that works."""
    name = path.rpartition(".")[2]
    example = _EXAMPLES[what].format(name=name)
    if name == source:  # a variable of the environment
        example = f"{name}={example.partition(': ')[2]}"
    return UsageError(
        source,
        f"{'' if name == source else f'{path}: '}expected {what}, found {found}",
        hint=f"for example: {example}",
    )


def fitting(source: str, path: str, value: Any, choices: tuple[str, ...]) -> None:
    """Require one of the choices, where there are any, and a number that can be meant.

    Raises:
        UsageError: another word, a negative number or an absurd one.
    """
    if choices and value not in choices:
        raise UsageError(source, f"{path}: no such choice", hint=f"choices: {', '.join(choices)}")
    if isinstance(value, int) and not 0 <= value <= LARGEST:
        raise UsageError(
            source,
            f"{path}: expected a number from 0 to {LARGEST}",
            hint=f"for example: {path}: 60",
        )

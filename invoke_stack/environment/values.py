"""The result of resolving: every value with the place it came from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Origin: TypeAlias = Literal["file", "compose", "process", "set", "mode"]

# What child processes are given. A Compose default is not: one key can have two of them, and
# Compose puts each in its own place.
_EXPORTED: frozenset[Origin] = frozenset({"file", "process", "set", "mode"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: file and line for files, else the origin alone says it."""

    origin: Origin
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return self.file if self.line is None else f"{self.file}:{self.line}"
        return {
            "process": "the process environment",
            "set": "--set",
            "mode": "the mode",
        }.get(self.origin, "nowhere")


@dataclass(frozen=True, slots=True)
class Value:
    """One resolved variable.

    Attributes:
        key: its name.
        text: its value; None where it is named but nobody sets it.
        origin: what kind of place gave the value.
        file: the file, for the origins "file" and "compose"; None for a key that only a
            template names.
        line: the line in that file.
        sensitive: it must not be shown.
        shadowed: places that set the key too and lost, nearest first.
        references: the variables that the winning text refers to.
    """

    key: str
    text: str | None = field(repr=False)
    origin: Origin
    file: str | None = None
    line: int | None = None
    sensitive: bool = False
    shadowed: tuple[Place, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where the value came from."""
        return Place(self.origin, self.file, self.line)


@dataclass(frozen=True, slots=True)
class ResolvedEnv:
    """All values of one mode.

    Attributes:
        mode: the short name of the mode.
        layers: the env files that took part, lowest rank first.
        values: every key that a layer, a template or a Compose variable names.
        notes: what the user should know: overruled and shadowed values, empty references.
    """

    mode: str
    layers: tuple[str, ...]
    values: Mapping[str, Value]
    notes: tuple[str, ...] = ()

    def exported(self) -> dict[str, str]:
        """Return what child processes are given: everything set, but no Compose default."""
        return {
            key: value.text
            for key, value in self.values.items()
            if value.text is not None and value.origin in _EXPORTED
        }

    def counts(self) -> dict[str, int]:
        """Return how many values each place gave: files by name, the rest by origin."""
        return dict(
            Counter(
                value.file if value.origin == "file" and value.file else value.origin
                for value in self.values.values()
                if value.text is not None
            )
        )

    def secrets(self) -> tuple[str, ...]:
        """Return the values that must not appear in any output."""
        return tuple(
            dict.fromkeys(
                value.text for value in self.values.values() if value.sensitive and value.text
            )
        )

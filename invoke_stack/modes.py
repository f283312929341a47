"""Modes: what `--dev`, `--test`, `--staging`, `--prod` and a project's own modes choose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from invoke_stack.errors import UsageError

FLAGS = ("dev", "test", "staging", "prod")
"""Modes that have a flag of their own."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode.

    Attributes:
        name: the short name, as on the command line.
        layers: env file names inside one folder, lowest rank first.
        aliases: names that compose overrides and profiles of this mode may carry.
        node: the value of NODE_ENV, or "" where the mode does not decide it.
    """

    name: str
    layers: tuple[str, ...]
    aliases: tuple[str, ...]
    node: str = ""

    @property
    def flag(self) -> str:
        """How the command line names it: `--prod`, or `--mode NAME` for one without a flag."""
        return f"--{self.name}" if self.name in FLAGS else f"--mode {self.name}"

    @property
    def suffix(self) -> str:
        """What a hint's command ends with, so that it means this mode; dev needs nothing."""
        return "" if self.name == "dev" else f" {self.flag}"


# Next.js's and Rails's order, so that the applications agree with us: `.env.local` ranks
# above the mode's own file, and `--test` does not read it.
BUILT_IN = (
    Mode(
        "dev",
        (".env", ".env.development", ".env.local", ".env.development.local"),
        ("dev", "development"),
        "development",
    ),
    Mode("test", (".env", ".env.test", ".env.test.local"), ("test",), "test"),
    Mode(
        "staging",
        (".env", ".env.staging", ".env.local", ".env.staging.local"),
        ("staging", "stage"),
        "production",
    ),
    Mode(
        "prod",
        (".env", ".env.production", ".env.local", ".env.production.local"),
        ("prod", "production"),
        "production",
    ),
    Mode("base", (".env", ".env.local"), ()),
)


def normalised(name: str) -> str:
    """Return the short mode name for any spelling of it (`Production` is `prod`)."""
    folded = name.strip().casefold()
    return next((mode.name for mode in BUILT_IN if folded in mode.aliases), folded)


def find(name: str, custom: Iterable[Mode] = (), where: str = "") -> Mode:
    """Return the mode called ``name``; the project's own modes win over the built-in ones.

    Args:
        name: of a mode, in any spelling.
        custom: the project's own modes.
        where: what named it; the flag by default.

    Raises:
        UsageError: no mode has that name.
    """
    modes = {mode.name: mode for mode in (*BUILT_IN, *custom)}
    found = modes.get(name) or modes.get(normalised(name))
    if found is None:
        import difflib

        near = difflib.get_close_matches(normalised(name), modes, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        message = f"no such mode: {name}" if where else "no such mode"
        raise UsageError(
            where or f"--mode {name}", message, hint=f"{hint}modes: {', '.join(modes)}"
        )
    return found

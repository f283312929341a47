"""The scripts that teach a shell to complete `inv`."""

from __future__ import annotations

from pathlib import Path

from invoke_stack.errors import UsageError

SHELLS = ("bash", "zsh", "fish")
FOLDER = Path(__file__).resolve().parent


def script(shell: str) -> str:
    """Return the script for a shell; it is the same for every project.

    Raises:
        UsageError: there is none for this shell.
    """
    if shell not in SHELLS:
        hint = f"known: {', '.join(SHELLS)}"
        raise UsageError("--shell", f"no completion for {shell or 'no shell'}", hint=hint)
    return (FOLDER / f"inv.{shell}").read_text("utf-8")

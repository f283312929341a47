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
        text = f"no completion for {shell}" if shell else "which shell?"
        hint = "inv stack.completion --shell bash, zsh or fish"
        raise UsageError("--shell", text, hint=hint)
    return (FOLDER / f"inv.{shell}").read_text("utf-8")

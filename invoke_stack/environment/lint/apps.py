"""Next.js apps: which folders hold one, and which keys their own env files would expand again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from invoke_stack.environment.lint import next_env, statements

EXPANDED_AGAIN = (
    "the value contains `$` and this file of the Next.js app names the key: "
    "Next.js expands the value that the process hands it once more"
)
FIX = "remove the key here; the value arrives through the process environment"
_CONFIGS = ("next.config.js", "next.config.mjs", "next.config.cjs", "next.config.ts")


def is_next_app(folder: Path) -> bool:
    """Tell whether a folder holds a Next.js app."""
    if any((folder / name).is_file() for name in _CONFIGS):
        return True
    try:
        package = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    groups = ("dependencies", "devDependencies")
    named = [package.get(each) for each in groups] if isinstance(package, dict) else []
    return any(isinstance(each, dict) and "next" in each for each in named)


def own_files(folder: Path, node: str) -> tuple[Path, ...]:
    """Return the env files that Next.js reads in a folder under a NODE_ENV, highest rank first."""
    names = [f".env.{node}.local", ".env.local", f".env.{node}", ".env"]
    if node == "test":
        names.remove(".env.local")
    return tuple(folder / name for name in names if (folder / name).is_file())


def expanded_again(
    folder: Path, node: str, values: Mapping[str, str | None]
) -> Iterator[tuple[Path, int, str]]:
    """Yield file, line and key where Next.js would change a value with a `$` it is handed."""
    for path in own_files(folder, node):
        text, _ = statements.decode(path.read_bytes())
        for key, (_, line) in next_env.parse(text).items():
            if "$" in (values.get(key) or ""):
                yield path, line, key

"""How resolved values reach Compose: as process environment, or as a generated file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_stack.environment.values import ResolvedEnv


def compose_environ(environ: Mapping[str, str], resolved: ResolvedEnv) -> dict[str, str]:
    """Return the environment for a `docker compose` call.

    Compose's own reading of `.env` is switched off: it would bring in keys we did not
    resolve, and a line that only Compose minds would stop it.
    """
    return {**environ, **resolved.exported(), "COMPOSE_DISABLE_ENV_FILE": "1"}


def encode(value: str) -> str:
    """Return a value in the one quoting that Compose reads back unchanged, whatever it holds.

    For Compose only: other readers of env files decode some of it differently.
    """
    # The backslash first, or it would escape the escapes that follow.
    for plain, escaped in (
        ("\\", r"\\"),
        ('"', r"\""),
        ("$", r"\$"),
        ("\n", r"\n"),
        ("\r", r"\r"),
    ):
        value = value.replace(plain, escaped)
    return f'"{value}"'


def env_file_text(values: Mapping[str, str]) -> str:
    """Return the text of an env file for Compose, sorted, so that the same values look the same."""
    return "".join(f"{key}={encode(values[key])}\n" for key in sorted(values))

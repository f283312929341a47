"""What an image may weigh (`stack.image.budget`), and what usually makes one smaller."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from invoke_stack import shapes, sizes
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding
from invoke_stack.images.layers import Image, Layer
from invoke_stack.images.rules import finding
from invoke_stack.images.source import Source
from invoke_stack.project import Project

SETTING = "stack.image.budget"
EVERY = "default"
"""The service name that stands for all others."""

_EXAMPLE = "for example: budget: 500MB, or budget: {web: {warning: 350MB, error: 500MB}}"
SHOWN = 5
"""Layers that are named when an image is over its budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits in bytes; 0 for none."""

    warning: int = 0
    error: int = 0


def bytes_of(text: Any, path: str) -> int:
    """Return a size such as `500MB` (decimal, as Docker counts) or `1GiB` in bytes.

    Raises:
        UsageError: it is none; ``path`` is the setting that holds it.
    """
    found = None if isinstance(text, bool) else sizes.parse(str(text))
    if found is None:
        raise UsageError(path, "expected a size", hint=_EXAMPLE)
    return found


def of(project: Project, service: str) -> Budget:
    """Return the budget of a service.

    Raises:
        UsageError: the setting cannot be read.
    """
    value = project.settings.image.budget
    path = SETTING
    if isinstance(value, Mapping) and not set(value) <= {"warning", "error"}:
        chosen = service if service in value else EVERY
        path, value = f"{SETTING}.{chosen}", value.get(chosen, "")
    return _budget(value, path)


def _budget(value: Any, path: str) -> Budget:
    if value in ("", None):
        return Budget()
    if not isinstance(value, Mapping):
        if not isinstance(value, (str, int, float)):
            raise shapes.expected("settings", path, "a text", shapes.kind(value))
        return Budget(error=bytes_of(value, path))
    unknown = set(value) - {"warning", "error"}
    if unknown:
        name = min(unknown)
        raise UsageError(f"{path}.{name}", "unknown setting", hint=_EXAMPLE)
    read = {level: bytes_of(size, f"{path}.{level}") for level, size in value.items() if size}
    return Budget(read.get("warning", 0), read.get("error", 0))


def check(project: Project, image: Image, source: Source) -> Finding | None:
    """Return what is wrong with an image's size, or None."""
    budget = of(project, image.service)
    over = budget.error if budget.error and image.bytes > budget.error else 0
    limit = over or (budget.warning if budget.warning and image.bytes > budget.warning else 0)
    if not limit:
        return None
    lines = [
        f"{sizes.decimal(each.bytes)}  {each.created_by} ({each.origin})" for each in biggest(image)
    ]
    has, more = sizes.decimal(image.bytes), sizes.decimal(image.bytes - limit)
    allowed = f"its budget of {sizes.decimal(limit)}"
    message = f"{image.tag} has {has}, {more} over {allowed}; the biggest layers:"
    hints = dict.fromkeys(hint for each in biggest(image) if (hint := advice(each)))
    place = next((source.place(each.line) for each in biggest(image) if each.line), None)
    return finding(
        "IMG201",
        image.service,
        "\n".join([message, *lines]),
        "\n".join(hints),
        *([place] if place else [source.place(0)]),
        severity="error" if over else "warning",
    )


def biggest(image: Image) -> tuple[Layer, ...]:
    """Return the biggest layers, the first one first."""
    found = sorted((each for each in image.layers if each.bytes), key=lambda each: -each.bytes)
    return tuple(found[:SHOWN])


class _Advice(NamedTuple):
    pattern: str
    text: str


_ADVICE = (
    _Advice(
        r"\b(npm|pnpm|yarn|bun) (ci|install|i)\b(?!.*(--omit=dev|--prod|--production))",
        "install without development dependencies in the stage that is shipped "
        "(npm ci --omit=dev), and build in an earlier one",
    ),
    _Advice(
        r"\b(npm|pnpm|yarn|bun) (ci|install|i)\b",
        "keep the package manager's cache out: RUN --mount=type=cache,target=/root/.npm",
    ),
    _Advice(
        r"\bapt(-get)? .*install\b",
        "apt-get install --no-install-recommends … && rm -rf /var/lib/apt/lists/* in one RUN",
    ),
    _Advice(r"\bapk add\b(?!.*--no-cache)", "apk add --no-cache …"),
    _Advice(
        r"\bch(own|mod) -R\b",
        "chown -R stores every file a second time: COPY --chown=USER instead",
    ),
    _Advice(
        r"^(COPY|ADD) .*node_modules",
        "ship the framework's own bundle instead of node_modules (Next.js: output: 'standalone')",
    ),
    _Advice(
        r"^(COPY|ADD) (--\S+ )*\./? ",
        "copy what the app needs instead of the whole folder, and list the rest in .dockerignore",
    ),
    _Advice(r"\b(build|tsc)\b", "build in an earlier stage and COPY --from=… only what it made"),
)


def advice(layer: Layer) -> str:
    """Return what usually makes such a layer smaller; "" where nothing usual does."""
    if not layer.file:
        return "a smaller base image of the same family (-slim, -alpine)"
    found = (each.text for each in _ADVICE if re.search(each.pattern, layer.created_by))
    return next(found, "")

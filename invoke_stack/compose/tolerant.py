"""Taking other programs' JSON apart: what is missing or of another kind is empty, not an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> int | None:
    """Return a positive number; None for anything else, a reference without a value included."""
    return int(value) or None if str(value).isdecimal() else None

"""Numbers of bytes, as people and other programs write them."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgtp])(i?))?b?\s*", re.IGNORECASE)
_EXPONENTS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_BINARY = ("KiB", "MiB", "GiB", "TiB")
_DECIMAL = ("B", "kB", "MB", "GB", "TB")
_OVER = 999.5
"""From here on three digits round to a thousand."""


def shown(number: int) -> str:
    """Return a number of bytes for people; "-" for one that is not known (negative)."""
    if number < 0:
        return "-"
    size, unit = number / 1024, _BINARY[0]
    for larger in _BINARY[1:]:
        if size < 1024:  # noqa: PLR2004 - the step between two units
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def decimal(number: int) -> str:
    """Return bytes as Docker shows those of images: steps of a thousand, three digits."""
    size, unit = float(number), _DECIMAL[0]
    for larger in _DECIMAL[1:]:
        if abs(size) < _OVER:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if abs(size) < _OVER else f"{size:.0f} {unit}"


def parse(text: str) -> int | None:
    """Return the bytes of `500MB` (thousands) or `1.5GiB` (1024s); None for anything else.

    Capitals do not matter, as they do not for Docker: `2g` is two gigabytes.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    base = 1024 if found[3] else 1000
    factor: int = base ** _EXPONENTS[(found[2] or "").lower()]
    return round(float(found[1]) * factor)

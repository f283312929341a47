"""Numbers of bytes, as people and other programs write them."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kKMGTP]?)(i?)[bB]?\s*")
_EXPONENTS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_STEPS = ("KiB", "MiB", "GiB", "TiB")


def shown(number: int) -> str:
    """Return a number of bytes for people; "-" for one that is not known (negative)."""
    if number < 0:
        return "-"
    size, unit = number / 1024, _STEPS[0]
    for larger in _STEPS[1:]:
        if size < 1024:  # noqa: PLR2004 - the step between two units
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def parse(text: str) -> int | None:
    """Return the bytes of `500MB` (thousands) or `1.5GiB` (1024s); None for anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    base = 1024 if found[3] else 1000
    factor: int = base ** _EXPONENTS[found[2]]
    return round(float(found[1]) * factor)

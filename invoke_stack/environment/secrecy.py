"""Which resolved values must not be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack.compose.interpolation import Lookup, names
from invoke_stack.redaction import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from invoke_stack.environment.expansion import Definitions


class Secrecy:
    """Judges values by name, form, marks, and by the secrets they were put together from.

    Args:
        marks: marks by key, one mapping per template or layer.
        definitions: what the layers say about each key.
        lookup: the final value of any key.
    """

    def __init__(
        self,
        marks: Sequence[Mapping[str, Mapping[str, str]]],
        definitions: Definitions,
        lookup: Lookup,
    ) -> None:
        self._marked = {key for each in marks for key in each if "sensitive" in each[key]}
        self._definitions = definitions
        self._lookup = lookup
        self._known: dict[str, frozenset[str]] = {}

    def covers(self, key: str, text: str | None, used: Iterable[str]) -> bool:
        """Tell whether a value, which refers to the names in ``used``, is a secret."""
        if key in self._marked or is_sensitive(key, text):
            return True
        return text is not None and any(
            part in text for name in used if name != key for part in self._parts(name)
        )

    def _parts(self, of: str) -> frozenset[str]:
        """Return the secrets that a reference can bring in, from near and far."""
        pending, seen, parts = [of], set(), set[str]()
        while pending and of not in self._known:
            name = pending.pop()
            if name in self._known:
                parts |= self._known[name]
                continue
            if name in seen:
                continue
            seen.add(name)
            text = self._lookup(name)
            if text and (name in self._marked or is_sensitive(name, text)):
                parts.add(text)
            for template, *_ in self._definitions.get(name, ()):
                pending.extend(names(template))
        return self._known.setdefault(of, frozenset(parts))

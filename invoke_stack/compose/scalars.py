"""What a YAML scalar is for Compose, which is neither YAML 1.1 nor quite 1.2.

`yes` and `22:22` are texts, `0o17` and `017` are fifteen, `1_000` is a thousand: the rules of the
YAML library that Compose is built with (gopkg.in/yaml.v3, `resolve.go`).
"""

from __future__ import annotations

import re
from typing import Any

from invoke_stack.compose.nodes import Node

_WORDS: dict[str, bool] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"([-+]?)0[0-7]+")
_EXACT = 1e21
"""From here on Go writes whole floats with an exponent."""


def value(node: Node) -> Any:
    """Return a scalar as text, number, truth value or None."""
    text = node.text or ""
    if node.quoted:
        return text
    if node.null:
        return None
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Any:
    plain = text.replace("_", "") if text[0] != "." else text
    octal = _OCTAL.fullmatch(plain)
    try:
        return int(f"{octal[1]}0o{plain.lstrip('+-')}" if octal else plain, 0)
    except ValueError:
        pass
    if not _FLOAT.fullmatch(plain):
        return text
    found = float(plain)
    return int(found) if found.is_integer() and abs(found) < _EXACT else found


def text(plain: Any) -> str:
    """Return a value as Compose writes it behind a `=`."""
    return str(plain).lower() if isinstance(plain, bool) else str(plain)

"""Types of marks: what `@type=port` asks of a value, and what a plain template implies."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from invoke_stack.errors import UsageError

NAMES = ("url", "port", "int", "number", "bool", "enum", "email", "string")

_CALL = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9]*)(?:\((?P<inside>.*)\))?", re.DOTALL)
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>.]+(?:\.[^@\s<>.]+)*")
_SCHEME = re.compile(r"(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*://\S+")
_BOOLS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})
_LAST_PORT = 65535
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Type:
    """What a value must look like.

    Attributes:
        name: one of `NAMES`.
        options: of an enum, in the order they were written.
        limits: `min` and `max`, of a number's value or of a string's length.
    """

    name: str
    options: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)

    def problem(self, value: str) -> str:
        """Return what is wrong with a value, without showing it; "" when nothing is."""
        if self.name == "enum":
            return "" if value in self.options else f"not one of {', '.join(self.options)}"
        return _CHECKS[self.name](value, self.limits)


def parse(text: str, where: str) -> Type:
    """Read the argument of `@type`.

    Raises:
        UsageError: there is no such type, or it takes no such arguments.
    """
    found = _CALL.fullmatch(text.strip())
    name = found["name"].casefold() if found else ""
    name = {"boolean": "bool", "integer": "int", "float": "number"}.get(name, name)
    if found is None or name not in NAMES:
        raise unknown(where, "type", text.partition("(")[0], NAMES)
    inside = (found["inside"] or "").strip()
    if name == "enum":
        options = tuple(part.strip().strip("'\"") for part in inside.split(",") if part.strip())
        if not options:
            raise UsageError(where, "an enum without options", hint="write @type=enum(a,b)")
        return Type("enum", options)
    return Type(name, limits=_limits(name, inside, where))


def implied(key: str, value: str) -> tuple[Type, str] | None:
    """Return the type that an unmarked line of a template implies, and why."""
    name = key.upper()
    if name == "PORT" or name.endswith("_PORT"):
        return Type("port"), "its name ends in PORT"
    if value.casefold() in {"true", "false"}:
        return Type("bool"), "the template has true or false"
    if name == "URL" or name.endswith("_URL"):
        return Type("url"), "its name ends in URL"
    return None


def unknown(where: str, what: str, name: str, known: Collection[str]) -> UsageError:
    """Return the error for a name that is none of the known ones, with the nearest."""
    name = name[:_SHOWN]
    near = difflib.get_close_matches(name, sorted(known), n=1)
    listed = f"known: {', '.join(known)}"
    hint = f"did you mean {near[0]}? {listed}" if near else listed
    return UsageError(where, f"no such {what}: {name or '(empty)'}", hint=hint)


def _limits(name: str, inside: str, where: str) -> dict[str, int]:
    limits: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in inside.split(","))):
        word, _, number = part.partition("=")
        allowed = ("min", "max") if name in {"string", "int", "number"} else ()
        if word.strip() not in allowed or not re.fullmatch(r"-?\d{1,18}", number.strip()):
            hint = f"write @type={name}(min=1,max=64)" if allowed else f"write @type={name}"
            raise UsageError(where, f"not an argument of the type {name}", hint=hint)
        limits[word.strip()] = int(number)
    return limits


def _url(value: str, _: Mapping[str, int]) -> str:
    if not _SCHEME.fullmatch(value):
        return "not a URL (scheme://…)"
    try:
        port = urlsplit(value.removeprefix("jdbc:")).port
    except ValueError:
        # Several hosts (`mongodb://a:1,b:2`) and a raw `/` in a password are fine for drivers.
        return "" if "@" in value or "," in value else "a URL with a port that is no number"
    return "a URL with the port 0" if port == 0 else ""


def _port(value: str, _: Mapping[str, int]) -> str:
    fits = re.fullmatch(r"[0-9]{1,5}", value) and 1 <= int(value) <= _LAST_PORT
    return "" if fits else f"not a port (1 to {_LAST_PORT})"


def _int(value: str, limits: Mapping[str, int]) -> str:
    if not re.fullmatch(r"[+-]?[0-9]{1,400}", value):
        return "not a whole number"
    return _within(float(value), limits, "")


def _number(value: str, limits: Mapping[str, int]) -> str:
    if not re.fullmatch(
        r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", value
    ):
        return "not a number"
    return _within(float(value), limits, "")


def _bool(value: str, _: Mapping[str, int]) -> str:
    return "" if value.casefold() in _BOOLS else "not true or false"


def _email(value: str, _: Mapping[str, int]) -> str:
    return "" if _EMAIL.fullmatch(value) else "not an e-mail address"


def _string(value: str, limits: Mapping[str, int]) -> str:
    return _within(len(value), limits, " characters")


def _within(number: float, limits: Mapping[str, int], unit: str) -> str:
    if number < limits.get("min", number):
        return f"less than {limits['min']}{unit}"
    if number > limits.get("max", number):
        return f"more than {limits['max']}{unit}"
    return ""


_CHECKS: Mapping[str, Callable[[str, Mapping[str, int]], str]] = {
    "url": _url,
    "port": _port,
    "int": _int,
    "number": _number,
    "bool": _bool,
    "email": _email,
    "string": _string,
}

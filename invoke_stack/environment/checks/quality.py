"""Values that are placeholders, weak, of the wrong type, or secrets in public."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.environment import placeholders, secretgen
from invoke_stack.environment.checks.rules import Judge, finding, place
from invoke_stack.environment.checks.state import Family
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.environment.values import Value
from invoke_stack.findings.model import Finding, Place, Severity
from invoke_stack.redaction import is_sensitive

SHORTEST_PASSWORD = 12
SHORTEST_KEY = 32

_PASSWORD = re.compile(r"PASS|PWD|PASSPHRASE")
_PUBLIC = re.compile(r"(?:NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|VITE|REACT_APP)_(?P<rest>.+)")
# Tokens and API keys for browsers exist; passwords and private keys for them do not.
_NEVER_PUBLIC = re.compile(r"SECRET|PASSWORD|PASSWD|PRIVATE(?!_BETA)|CREDENTIAL")
_PAYMENT = re.compile(r"(?:sk|pk|rk)_(?P<kind>test|live)_")
_URL_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://[^:@/\s]*:(?P<password>[^@/\s]+)@")


def check(family: Family, judge: Judge) -> Iterator[Finding]:
    """Yield what is wrong with the values of a family."""
    specs = family.specs()
    for key, value in family.env.values.items():
        spec, target = specs.get(key, (None, None))
        if not value.text:
            continue
        yield from _public(value)
        if spec is not None and target is not None:
            yield from _type(value, value.text, spec, target, judge)
        found = list(_placeholder(value, value.text, spec, target, judge))
        yield from found or _weak(value, value.text, judge)


def _public(value: Value) -> Iterator[Finding]:
    found = _PUBLIC.fullmatch(value.key.upper())
    if found is None or value.text is None:
        return
    if _NEVER_PUBLIC.search(found["rest"]) or is_sensitive("", value.text):
        message = "ends up in the browser, where everyone can read it"
        fix = "drop the prefix and read it on the server only"
        yield finding("ENV-PUBLIC", "error", value.key, message, fix, place(value))


def _type(value: Value, text: str, spec: Spec, target: Target, judge: Judge) -> Iterator[Finding]:
    if spec.type is None or not (problem := spec.type.problem(text)):
        return
    asked = Place("template", target.template.file, spec.type_line)
    why = f"{spec.type_reason} in" if spec.type_reason else "asked for by"
    severity = judge.level if spec.type_reason else "error"
    message = f"{problem}; {why} {asked}"
    fix = f"correct it{_in(value)}, or the template"
    fix += f"; for example {spec.example}" if spec.example else ""
    yield finding("ENV-TYPE", severity, value.key, message, fix, place(value), asked)


def _placeholder(
    value: Value, text: str, spec: Spec | None, target: Target | None, judge: Judge
) -> Iterator[Finding]:
    secret = value.sensitive or (spec is not None and spec.required)
    said = placeholders.reason(value.key, text) or _inner(text)
    same = spec is not None and target is not None and secret and text == spec.value
    if same and target is not None and spec is not None and (judge.serious or not said):
        asked = Place("template", target.template.file, spec.line)
        severity: Severity = "error" if judge.serious else "info"
        if value.sensitive:
            message = "still has the value that the template gives everyone"
            fix = _new(value)
            yield finding("ENV-PLACEHOLDER", severity, value.key, message, fix, place(value), asked)
    elif value.origin == "compose":
        if value.sensitive and judge.serious:
            message = "not set, so everyone gets the default in the compose file"
            fix = "set it in an env file of this mode"
            yield finding("ENV-PLACEHOLDER", "error", value.key, message, fix, place(value))
    elif said:
        severity = judge.level if secret else "warning"
        said = f"its value is {said}" if said == placeholders.reason(value.key, text) else said
        yield finding("ENV-PLACEHOLDER", severity, value.key, said, _new(value), place(value))
    else:
        yield from _payment(value, text, judge)


def _inner(text: str) -> str:
    found = _URL_PASSWORD.match(text)
    inside = placeholders.reason("PASSWORD", found["password"]) if found else ""
    return f"the password in it is {inside}" if inside else ""


def _payment(value: Value, text: str, judge: Judge) -> Iterator[Finding]:
    found = _PAYMENT.match(text)
    if found and found["kind"] == "test" and judge.mode.name == "prod":
        message = "a test key in production"
        fix = f"write the live key{_in(value)}"
        yield finding("ENV-PLACEHOLDER", "error", value.key, message, fix, place(value))
    elif found and found["kind"] == "live" and not judge.serious:
        message = "a live key outside of production: it moves real money"
        fix = f"write the test key{_in(value)}"
        yield finding("ENV-PLACEHOLDER", "warning", value.key, message, fix, place(value))


def _new(value: Value) -> str:
    if value.sensitive and value.origin == "file" and secretgen.self_made(value.key):
        return f"inv env.init --rotate {value.key}"
    return f"write the real value{_in(value)}"


def _in(value: Value) -> str:
    return f" in {place(value).file}" if value.file else ""


def _weak(value: Value, text: str, judge: Judge) -> Iterator[Finding]:
    if not value.sensitive or value.origin == "compose" or not secretgen.self_made(value.key):
        return
    shortest = SHORTEST_PASSWORD if _PASSWORD.search(value.key.upper()) else SHORTEST_KEY
    message = ""
    if len(text) < shortest:
        message = f"shorter than {shortest} characters"
    elif placeholders.repeated(text):
        message = "made of a few characters that repeat"
    if message:
        fix = f"inv env.init --rotate {value.key}"
        yield finding("ENV-WEAK", judge.level, value.key, message, fix, place(value))

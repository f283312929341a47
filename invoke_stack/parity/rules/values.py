"""PAR304 and 306-308: values whose shape, content or secrecy is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.parity.declaration import Declaration, Process
from invoke_stack.parity.pairing import Pair
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides

_ADDRESSES = frozenset({"url", "host", "hostport"})
_NEEDS_URL = frozenset({"NEXTAUTH_URL", "AUTH_URL"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104 - names
_BINDS = re.compile(r"(?:.*_)?(?:HOST|BIND|BIND_ADDR|BIND_ADDRESS|LISTEN|LISTEN_ADDR|ADDRESS|IP)")
_SWITCH = re.compile(
    r"NODE_ENV|APP_ENV|ENVIRONMENT|ENV|RAILS_ENV|RACK_ENV|FLASK_ENV|DJANGO_ENV|DJANGO_DEBUG|"
    r"DEBUG|APP_DEBUG|(?:.*_)?DEMO_MODE|(?:.*_)?TEST_MODE"
)
_NODE_ENVS = frozenset({"production", "development", "test"})
_LONG_SECRET = 24
"""A committed local default from this length on looks like a real key."""


@rule("PAR304", "Value has another shape", "error")
def shapes(facts: Facts) -> Iterator[Outcome]:
    """Compare what kind of address a variable holds on each side."""
    for pair in facts.pairing.processes:
        for key, var in pair.production.env.items():
            yield from _shape(facts, pair, key, var)


def _shape(facts: Facts, pair: Pair, key: str, var: EnvVar) -> Iterator[Outcome]:
    local = pair.local.env.get(key)
    theirs, ours = shape(var), shape(local) if local else ""
    if not ours and key in _NEEDS_URL:
        ours = "url"
    if theirs not in _ADDRESSES or ours not in _ADDRESSES:
        return
    where = places([var.src], [local] if local is None else [local.src])
    scheme = local.address.scheme if local and local.address else ""
    if theirs == ours:
        if "+" in scheme and var.ref is not None:
            message = f"{key} names a driver locally ({scheme}) and none in production"
            fix = "let the code choose the driver"
            yield Found(key, message, where, fix, "info", "low")
            return
        yield Passed(key, f"{key} is a {theirs} on both sides", where)
        return
    known = key in _NEEDS_URL or (ours == "url" and key.endswith(("_URL", "_URI")))
    names = {"url": "a URL", "host": "a bare host", "hostport": "host:port"}
    message = f"{key} is {names[theirs]} in production and {names[ours]} locally"
    fix = _right(facts, key, var, ours)
    if known and ours == "url":
        yield Found(key, message, where, fix)
    else:
        yield Found(key, f"{message}; the code may put it together", where, fix, "info", "low")


def shape(var: EnvVar) -> str:
    """Return what a value looks like; a reference by what the platform gives."""
    if var.ref is not None:
        if var.ref.key:
            key = var.ref.key
            return "url" if key.endswith("_URL") else "host" if key.endswith("_HOSTNAME") else ""
        known = {"host": "host", "hostport": "hostport", "connectionString": "url"}
        return known.get(var.ref.property, "")
    return "" if var.placeholder and var.shape != "url" else var.shape


def _right(facts: Facts, key: str, var: EnvVar, wanted: str) -> str:
    if var.ref is None or facts.production.target != "render":
        return sides.env_line(facts, key, {"url": "https://…"}.get(wanted, "host:port"))
    if var.ref.kind == "database":
        return f"fromDatabase: {{name: {var.ref.name}, property: connectionString}}"
    target = facts.production.processes.get(var.ref.name)
    if wanted == "hostport" or (target is not None and target.role != "web"):
        return f"fromService: {{name: {var.ref.name}, property: hostport}}"
    return f"fromService: {{type: web, name: {var.ref.name}, envVarKey: RENDER_EXTERNAL_URL}}"


@rule("PAR306", "Production value cannot work", "error", "high")
def impossible(facts: Facts) -> Iterator[Outcome]:
    """Find values in production that name the laptop, or nothing at all."""
    local_only = sides.known_hosts(facts) - _hosts(facts.production)
    for process in facts.production.processes.values():
        for var in process.env.values():
            if var.origin != "literal" or var.src.file not in facts.production.layers:
                continue
            reason = _reason(facts, process, var, local_only)
            if reason:
                message = f"{var.key} of {process.name} {reason}"
                fix = sides.env_line(facts, var.key)
                yield Found(var.key, message, places([var.src]), fix)


def _hosts(declaration: Declaration) -> frozenset[str]:
    stack = sides.everything(declaration)
    return frozenset(name.casefold() for each in stack for name in (each.name, *each.names))


def _reason(facts: Facts, process: Process, var: EnvVar, local_only: frozenset[str]) -> str:
    text = var.value or ""
    if facts.production.target != "compose" and re.search(r"\$\{\w+[^}]*\}", text):
        return "is the literal text ${…}: this platform replaces nothing in it"
    if var.placeholder and text:
        return "is still a placeholder"
    host = var.address.host if var.address else ""
    if host in _LOOPBACK:
        own = var.address.port in _ports(process) if var.address and var.address.port else False
        binds = _BINDS.fullmatch(var.key) and not (var.address and var.address.scheme)
        return "" if own or binds else f"points to {host}, which is the container itself"
    if host in local_only and "." not in host:
        return f"names {host}, which only the local stack has"
    return ""


def _ports(process: Process) -> set[int | None]:
    text = process.env["PORT"].value if "PORT" in process.env else None
    return {process.port.value, int(text) if text and text.isdecimal() else None} - {None}


@rule("PAR307", "Secret committed as literal", "error")
def committed(facts: Facts) -> Iterator[Outcome]:
    """Find secrets whose value stands in the file; their text is shown nowhere."""
    for process in facts.production.processes.values():
        for var in process.env.values():
            secret = var.origin == "literal" and (var.sensitive or _password(var))
            own = var.src.file in facts.production.layers
            if not secret or not own or var.placeholder or not (var.masked or var.value):
                continue
            message = f"{var.key} of {process.name} is in the repository for all to read"
            fix = _secret_line(facts, var.key)
            yield Found(var.key, message, places([var.src]), fix)
    yield from _local_secrets(facts)


def _password(var: EnvVar) -> bool:
    return var.address is not None and var.address.password is not None


def _secret_line(facts: Facts, key: str) -> str:
    if facts.production.target == "render":
        return f"- key: {key}\n  generateValue: true   (or sync: false; then change the secret)"
    return sides.env_line(facts, key) + "   (then change the secret)"


def _local_secrets(facts: Facts) -> Iterator[Outcome]:
    seen = set()
    for layer in sides.layers(facts):
        for process in sides.apps(layer):
            for var in process.env.values():
                real = var.sensitive and not var.placeholder and var.masked is not None
                written = var.origin in {"literal", "interpolated"} and not _password(var)
                long = var.masked is not None and var.masked.length >= _LONG_SECRET
                if not (real and written and long) or (var.key, var.src) in seen:
                    continue
                seen.add((var.key, var.src))
                message = f"{var.key} has a default that looks like a real secret"
                yield Found(var.key, message, places((), [var.src]), f"${{{var.key}:?}}", "info")


@rule("PAR308", "Mode switches differ")
def switches(facts: Facts) -> Iterator[Outcome]:
    """Compare NODE_ENV, DEBUG and their like; the dev layer may differ."""
    for pair in sides.contained(facts):
        for key in sorted(pair.production.env.keys() | pair.local.env.keys()):
            if not _SWITCH.fullmatch(key):
                continue
            theirs, ours = pair.production.env.get(key), pair.local.env.get(key)
            odd = theirs if key == "NODE_ENV" and _odd(theirs) else None
            if odd is not None:
                message = f"NODE_ENV is {odd.value}, which no library knows"
                fix = sides.env_line(facts, "NODE_ENV", "production")
                yield Found(key, message, places([odd.src]), fix)
            elif theirs and ours and _literal(theirs) and _literal(ours):
                yield _switch(key, theirs, ours)


def _odd(var: EnvVar | None) -> bool:
    return var is not None and bool(var.value) and var.value not in _NODE_ENVS


def _literal(var: EnvVar) -> bool:
    return bool(var.value) and var.origin in {"literal", "image", "platform", "interpolated"}


def _switch(key: str, theirs: EnvVar, ours: EnvVar) -> Outcome:
    where = places([theirs.src], [ours.src])
    values = [_normal(each.value or "") for each in (theirs, ours)]
    if values[0] == values[1]:
        return Passed(key, f"{key} is {theirs.value} on both sides", where)
    message = f"{key} is {theirs.value} in production and {ours.value} in the production-like stack"
    return Found(key, message, where, f"{key}: {theirs.value}")


def _normal(text: str) -> str:
    known = {"prod": "production", "dev": "development", "1": "true", "yes": "true", "on": "true"}
    known |= {"0": "false", "no": "false", "off": "false"}
    plain = text.casefold()
    return known.get(plain, plain)

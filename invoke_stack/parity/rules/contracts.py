"""PAR305: one side gives a URL, the other its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides

_WHOLE = re.compile(r"(?P<stem>.+)_(?:URL|URI|DSN|CONNECTION_STRING|BASE|BASE_URL)")
_PART = re.compile(r"(?P<stem>.+)_(?:HOST|HOSTNAME|SERVER|PORT|DOMAIN|ADDR)")
_NAMES = re.compile(r"(?P<stem>.+)_(?:NAME|USER|USERNAME|PASSWORD|PASS|PWD|DB)")
_ALIASES = {
    **dict.fromkeys(("DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG"), "DATABASE"),
    **dict.fromkeys(("REDIS", "VALKEY", "CACHE_REDIS"), "REDIS"),
    **dict.fromkeys(("MONGO", "MONGODB"), "MONGO"),
    **dict.fromkeys(("RABBITMQ", "AMQP"), "RABBITMQ"),
}


def stem(key: str) -> str:
    """Return what a connection variable is about (`DATABASE`, `REDIS`, …); "" for others."""
    found = _WHOLE.fullmatch(key) or _PART.fullmatch(key) or _NAMES.fullmatch(key)
    name = found["stem"] if found else ""
    return _ALIASES.get(name, name if found and not _NAMES.fullmatch(key) else "")


def _whole(key: str) -> bool:
    return _WHOLE.fullmatch(key) is not None


def _part(key: str) -> bool:
    return _PART.fullmatch(key) is not None


def _forms(env: Mapping[str, EnvVar]) -> dict[str, tuple[list[EnvVar], list[EnvVar]]]:
    """Return by stem the variables that hold all of it and those that hold a part."""
    found: dict[str, tuple[list[EnvVar], list[EnvVar]]] = {}
    for key, var in env.items():
        if stem(key) and (_whole(key) or _part(key)) and var.origin != "image":
            forms = found.setdefault(stem(key), ([], []))
            forms[0 if _whole(key) else 1].append(var)
    return found


@rule("PAR305", "Other connection contract")
def contracts(facts: Facts) -> Iterator[Outcome]:
    """Find a service that is addressed by a URL on one side and by its parts on the other."""
    told: set[str] = set()
    for pair in facts.pairing.processes:
        theirs, ours = _forms(pair.production.env), _forms(pair.local.env)
        for name in theirs.keys() & ours.keys():
            told.add(name)
            yield _judged(name, theirs[name], ours[name], ("production", "local"))
    yield from _layers(facts, told)


def _layers(facts: Facts, told: set[str]) -> Iterator[Outcome]:
    """Compare the local stacks among themselves where production says nothing."""
    found: dict[str, list[tuple[list[EnvVar], list[EnvVar]]]] = {}
    for layer in sides.layers(facts):
        for process in sides.apps(layer):
            if not process.host_run and process.build is not None:
                for name, forms in _forms(process.env).items():
                    found.setdefault(name, []).append(forms)
    for name, several in sorted(found.items()):
        if name in told:
            continue
        for forms in several[1:]:
            outcome = _judged(name, several[0], forms, ("one local stack", "another"))
            if isinstance(outcome, Found):
                yield outcome
                break


def _judged(
    name: str,
    one: tuple[list[EnvVar], list[EnvVar]],
    two: tuple[list[EnvVar], list[EnvVar]],
    labels: tuple[str, str],
) -> Outcome:
    across = labels[0] == "production"
    sources = [[var.src for form in side for var in form] for side in (one, two)]
    where = places(sources[0], sources[1]) if across else places((), [*sources[0], *sources[1]])
    keys = [sides.listed(var.key for form in side for var in form) for side in (one, two)]
    shared = {var.key for form in one for var in form} & {var.key for form in two for var in form}
    differ = (bool(one[0]) != bool(two[0])) and (bool(one[1]) != bool(two[1])) and not shared
    if not differ:
        return Passed(name, f"{name} is addressed alike: {keys[0]}", where)
    message = f"{labels[0]} gives {keys[0]}, {labels[1]} {keys[1]}"
    return Found(keys[1], message, where, f"the same form on both sides: {keys[0]}")

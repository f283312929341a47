"""PAR001-003: what could not be read, paired or known."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.findings.model import Place
from invoke_stack.parity.declaration import Datastore
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides


@rule("PAR001", "Input read only in part", "warning", "high")
def unread(facts: Facts) -> Iterator[Outcome]:
    """Say what could not be read, and what is therefore not compared."""
    for each in facts.problems:
        missing = f"; not compared: {each.skipped}" if each.skipped else ""
        where = (Place("project", each.src.file, each.src.line),)
        yield Found(str(each.src), each.message + missing, where, each.fix)
    if not facts.problems:
        yield Passed("input", "every file was read completely")


@rule("PAR002", "Services cannot be paired")
def unpaired(facts: Facts) -> Iterator[Outcome]:
    """Ask which local service is which of production."""
    for each in facts.pairing.unsure:
        name = each.process.name
        could = f"; it could be {', '.join(each.candidates)}" if each.candidates else ""
        message = f"no local service is surely {name}{could}; its rules are not checked"
        local = [facts.local.processes[one].src for one in each.candidates
                 if one in facts.local.processes]  # fmt: skip
        yield Found(name, message, places([each.process.src], local), each.line)
    for pair in facts.pairing.processes:
        message = f"{pair.production.name} is {pair.local.name} locally ({pair.reason})"
        where = places([pair.production.src], [pair.local.src])
        yield Passed(pair.production.name, message, where)


@rule("PAR003", "Production fact unknown", "info", "high")
def unknown_production(facts: Facts) -> Iterator[Outcome]:
    """Ask for the major version of a database that no file of production declares."""
    declared = {each.kind for each in facts.production.datastores.values() if not each.external}
    asked = set()
    for store in _databases(facts):
        if store.kind in declared or store.kind in asked or not store.version.known:
            continue
        asked.add(store.kind)
        name = f"{store.kind}_major"
        major = store.version.value.major if store.version.value else None
        pair = _external(facts, store)
        where = places([pair.src] if pair else [sides.production_file(facts)], [store.version])
        if name in facts.answers:
            yield Passed(store.name, f"{name} {facts.answers[name]} is given in the settings")
            continue
        message = (
            f"production's {store.engine} is declared nowhere, so its version is not known; "
            f"local runs {store.version.value}"
        )
        yield Found(store.name, message, where, f"facts: {{{name}: {major}}}")


def _databases(facts: Facts) -> Iterator[Datastore]:
    for declaration in sides.layers(facts):
        for each in declaration.datastores.values():
            if each.kind in sides.SQL and not each.external:
                yield each


def _external(facts: Facts, store: Datastore) -> Datastore | None:
    found = facts.production.datastores.values()
    return next((each for each in found if each.external and each.kind == store.kind), None)

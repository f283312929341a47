"""All rules, ours and the project's own."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from invoke_stack.errors import UsageError
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Outcome, Rule, rule
from invoke_stack.parity.rules import (
    absent,
    builds,
    buildtime,
    commands,
    context,
    contracts,
    datastores,
    drift,
    health,
    images,
    languages,
    monorepo,
    network,
    presence,
    prisma,
    probes,
    reading,
    storage,
    structure,
    tools,
    values,
    variables,
    vendor,
)


@rule("PAR004", "Suppression without reason, expired or unused", "warning", "high")
def suppressions(facts: Facts) -> Iterable[Outcome]:  # noqa: ARG001 - the engine's own rule
    """Nothing here: the engine judges suppressions after all other rules."""
    return ()


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *(reading.unread, reading.unpaired, reading.unknown_production, suppressions),
            *(structure.missing_locally, structure.missing_in_production, structure.webs),
            *(structure.strangers, structure.competing),
            *(datastores.majors, datastores.unpinned, presence.lonely, datastores.keyvalues),
            *(datastores.extensions, datastores.borrowed),
            *(variables.missing_in_production, variables.missing_locally, variables.misspelled),
            *(values.shapes, contracts.contracts, values.impossible, values.committed),
            *(values.switches, buildtime.late, variables.unread_template),
            *(health.paths, health.one_sided, probes.probes, health.ports),
            *(builds.missing, drift.other_build, builds.targets, builds.runtimes),
            *(languages.languages, tools.tools, storage.persistence),
            *(commands.starts, commands.migrations, commands.unrunnable),
            *(images.users, prisma.openssl, context.leaks, absent.absent, images.floating),
            *(images.heavy, monorepo.missing, images.secrets),
            *(network.appended, network.host_ports, network.waits, network.untemplated),
            *(vendor.keys, vendor.deprecated, vendor.dangling),
        ),
        key=lambda each: each.id,
    )
)
"""Every rule of ours, by ID."""


def rules(further: Sequence[Any] = ()) -> tuple[Rule, ...]:
    """Return our rules and the project's own (`parity.rules`: rules or `module:name`).

    Raises:
        UsageError: one of them is no rule, cannot be found, or has an ID that is taken.
    """
    found = {each.id: each for each in RULES}
    for each in further:
        own = _loaded(each) if isinstance(each, str) else each
        if not isinstance(own, Rule):
            raise UsageError(
                "stack.parity.rules",
                f"not a rule: {own!r}",
                hint='decorate the function: @rule("ACME001", "what is wrong")',
            )
        if own.id in found:
            raise UsageError("stack.parity.rules", f"{own.id} is taken", hint="choose another ID")
        found[own.id] = own
    return tuple(found.values())


def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as problem:
        raise UsageError(
            "stack.parity.rules", f"{name}: {problem}", hint="expected 'module:name'"
        ) from None


def find(name: str, known: Sequence[Rule]) -> Rule:
    """Return the rule of an ID, in any case.

    Raises:
        UsageError: there is none.
    """
    for each in known:
        if each.id == name.upper():
            return each
    ids = [each.id for each in known]
    near = difflib.get_close_matches(name.upper(), ids, n=1)
    hint = f"did you mean {near[0]}?" if near else "inv parity.rules lists them"
    raise UsageError("--rule", f"no such rule: {name}", hint=hint)


def chosen(known: Sequence[Rule], select: Iterable[str], ignore: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules that the beginnings in ``select`` name and those in ``ignore`` do not.

    Raises:
        UsageError: a beginning that no rule has.
    """
    wanted, unwanted = _beginnings(select), _beginnings(ignore)
    for flag, starts in (("--select", wanted), ("--ignore", unwanted)):
        for start in starts:
            if not any(each.id.startswith(start) for each in known):
                raise UsageError(flag, f"no rule begins with {start}", hint="inv parity.rules")
    return tuple(
        each
        for each in known
        if (not wanted or each.id.startswith(wanted)) and not each.id.startswith(unwanted or ("-",))
    )


def _beginnings(words: Iterable[str]) -> tuple[str, ...]:
    parts = (part.strip().upper() for word in words for part in word.split(","))
    return tuple(part for part in parts if part)

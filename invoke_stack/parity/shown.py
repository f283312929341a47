"""The facts as plain data, for `parity.show` and for a project's own checks.

No secret is in them: readers hand none on, and digests of masked values stay in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.declaration import Declaration
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Masked, Src, Val, Version

_INNER = frozenset({"workspace"})


def document(facts: Facts) -> dict[str, Any]:
    """Return both sides, their pairing and what the repository says."""
    repository = facts.repository
    return {
        "production": side(facts.production),
        "local": {name: side(each) for name, each in facts.layers.items()},
        "pairing": {
            "processes": [
                {
                    "production": each.production.name,
                    "local": each.local.name,
                    "reason": each.reason,
                    "score": each.score,
                }
                for each in facts.pairing.processes
            ],
            "datastores": [
                {
                    "production": each.production.name,
                    "local": each.local.name,
                    "reason": each.reason,
                }
                for each in facts.pairing.datastores
            ],
            "only_production": [each.name for each in facts.pairing.only_production],
            "only_local": [each.name for each in facts.pairing.only_local],
            "unsure": [each.process.name for each in facts.pairing.unsure],
        },
        "repository": {
            "packages": plain(repository.packages),
            "schemas": plain(repository.schemas),
            "templates": plain(repository.templates),
            "migrations": plain(repository.migrations),
            "languages": plain(repository.languages),
            "dockerfiles": sorted(repository.dockerfiles),
        },
        "targets": plain(facts.targets),
        "stacks": plain(facts.stacks),
        "facts": dict(facts.answers),
    }


def side(declaration: Declaration) -> dict[str, Any]:
    """Return one side, or one layer of the local one."""
    return {
        "target": declaration.target,
        "files": list(declaration.layers),
        "processes": plain(declaration.processes),
        "datastores": plain(declaration.datastores),
        "groups": plain(declaration.groups),
        "problems": plain(declaration.problems),
        "complaints": plain(declaration.complaints),
    }


def plain(value: Any) -> Any:
    """Return a value of the model as JSON has it; empty and absent parts are left out."""
    for kind, shown in _KINDS:
        if isinstance(value, kind):
            return shown(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return value


def _value(value: Val[Any]) -> dict[str, Any]:
    found = {"value": plain(value.value), "at": str(value.src), "certainty": value.certainty}
    return found | ({"note": value.note} if value.note else {})


_KINDS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Masked, lambda value: {"secret": True, "length": value.length}),
    (Src, str),
    (Version, lambda value: value.text),
    (Val, _value),
    (Dockerfile, lambda value: value.file),
    (Stage, lambda value: value.name or value.index),
    (Mapping, lambda value: {str(key): plain(each) for key, each in value.items()}),
    ((list, tuple), lambda value: [plain(each) for each in value]),
    ((set, frozenset), lambda value: sorted(map(str, value))),
)


def _fields(value: Any) -> dict[str, Any]:
    found = {}
    for each in dataclasses.fields(value):
        item = getattr(value, each.name)
        absent = isinstance(item, Val) and item.value is None and item.certainty == "declared"
        if each.name not in _INNER and not absent and item not in (None, "", (), {}, False):
            found[each.name] = plain(item)
    return found

"""The facts as JSON, for `parity.show`: no secret, not even its digest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from invoke_stack.compose.variables import Variable
from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Masked, Src, Val, Version


def document(facts: Facts) -> dict[str, Any]:
    """Return the facts as plain data; what nobody says is left out."""
    repository = facts.repository
    pairs = facts.pairing
    return {
        "schema": 1,
        "production": plain(facts.production),
        "local": {name: plain(each) for name, each in facts.layers.items()},
        "pairing": {
            "processes": [
                {
                    "production": each.production.name, "local": each.local.name,
                    "reason": each.reason, "score": each.score,
                }
                for each in pairs.processes
            ],
            "datastores": [
                {
                    "production": each.production.name, "local": each.local.name,
                    "reason": each.reason,
                }
                for each in pairs.datastores
            ],
            "only_production": _names(pairs.only_production, pairs.stores_only_production),
            "only_local": _names(pairs.only_local, pairs.stores_only_local),
            "unsure": [
                {"production": each.process.name, "candidates": each.candidates, "line": each.line}
                for each in pairs.unsure
            ],
        },
        "repository": {
            "packages": plain(repository.packages),
            "dockerfiles": {name: _stages(each) for name, each in repository.dockerfiles.items()},
            "schemas": plain(repository.schemas),
            "templates": plain(repository.templates),
            "migrations": plain(repository.migrations),
            "languages": plain(repository.languages),
        },
        "targets": plain(facts.targets),
        "stacks": plain(facts.stacks),
        "facts": dict(facts.answers),
        "problems": plain(facts.problems),
    }  # fmt: skip


def _names(*groups: tuple[Any, ...]) -> list[str]:
    return [each.name for group in groups for each in group]


def _stages(parsed: Dockerfile) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "image": each.image,
            "line": each.line,
            "user": plain(parsed.user(each)),
        }
        for each in parsed.stages
    ]


def plain(value: Any) -> Any:
    """Return a value as JSON has it; empty fields of an object are left out."""
    shown = _ATOMS.get(type(value))
    if shown is not None:
        return shown(value)
    return _object(value) if dataclasses.is_dataclass(value) else _collection(value)


def _val(value: Val[Any]) -> dict[str, Any]:
    found = {"value": plain(value.value), **plain(value.src), "certainty": value.certainty}
    return found | ({"note": value.note} if value.note else {})


def _variable(value: Variable) -> dict[str, Any]:
    names = ("name", "operator", "file", "line")
    return {name: getattr(value, name) for name in names}


def _version(value: Version) -> dict[str, Any]:
    return {"text": value.text, "major": value.major, "floating": value.floating}


_ATOMS: dict[type[Any], Callable[[Any], Any]] = {
    Masked: lambda each: {"masked": True, "length": each.length},
    Src: lambda each: {"file": each.file, "line": each.line},
    Version: _version,
    Val: _val,
    Variable: _variable,
    Dockerfile: lambda each: each.file,
    Stage: lambda each: each.name or each.index,
}


def _object(value: Any) -> dict[str, Any]:
    found = {}
    for item in dataclasses.fields(value):
        each = getattr(value, item.name)
        absent = isinstance(each, Val) and each.value is None and each.certainty == "declared"
        if each in (None, "", (), False) or absent or (isinstance(each, Mapping) and not each):
            continue
        found[item.name] = plain(each)
    return found


def _collection(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value

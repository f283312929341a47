"""`envVars` of a Blueprint: literals, secrets, generated values and references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from invoke_stack.compose.nodes import Node
from invoke_stack.parity.parts import EnvVar, Ref
from invoke_stack.parity.readers.env import variable
from invoke_stack.parity.values import Address, Val


@dataclass(frozen=True, slots=True)
class Names:
    """What a Blueprint declares, by name."""

    services: Mapping[str, Node]
    databases: Mapping[str, Node]


def names(parts: Iterable[Node]) -> Names:
    """Return what the parts of a Blueprint declare."""
    every = list(parts)
    return Names(
        {n.get("name").value: n for part in every for n in part.get("services").items},
        {n.get("name").value: n for part in every for n in part.get("databases").items},
    )


def group(node: Node) -> dict[str, EnvVar]:
    """Return the variables of an env group."""
    return {each.key: replace(each, group=node.get("name").value) for each in _entries(node, None)}


def of_service(
    node: Node, known: Names, groups: Mapping[str, Mapping[str, EnvVar]]
) -> tuple[dict[str, EnvVar], tuple[Val[str], ...]]:
    """Return the variables of a service, its groups expanded, and the groups it names.

    A service's own variable wins over a group's.
    """
    named: list[Val[str]] = []
    found: dict[str, EnvVar] = {}
    for item in node.get("envVars").items:
        name = item.get("fromGroup").value
        if name and not item.get("key"):
            named.append(Val(name, item.get("fromGroup").here))
            found = {**groups.get(name, {}), **found}
    return found | {each.key: each for each in _entries(node, known)}, tuple(named)


def _entries(node: Node, known: Names | None) -> Iterator[EnvVar]:
    for item in node.get("envVars").items:
        key = item.get("key").value
        if key:
            yield _entry(key, item, known)


def _entry(key: str, item: Node, known: Names | None) -> EnvVar:
    src = item.get("key").src
    for kind in ("fromDatabase", "fromService"):
        if item.get(kind):
            return _reference(key, item.get(kind), known, kind)
    if item.get("generateValue").true:
        return EnvVar(key, "generated", src, sensitive=True, shape="text")
    if "value" in item.fields:
        value = item.get("value")
        return variable(key, value.text if not value.null else "", value.here, "literal")
    return replace(variable(key, None, src, "secret_prompt"), required=None)


def _reference(key: str, node: Node, known: Names | None, kind: str) -> EnvVar:
    name, prop = node.get("name").value, node.get("property").value
    other = node.get("envVarKey").value
    is_database = kind == "fromDatabase"
    declared = known is not None and name in (known.databases if is_database else known.services)
    ref = Ref("database" if is_database else "service", name, prop, other, declared)
    copied = _copied(known, name, other) if other else ""
    shape = copied or _SHAPES.get(prop, "")
    secret = prop in {"connectionString", "connectionPoolString", "password"}
    found = Address("", name.lower()) if shape in {"host", "hostport"} else None
    # The place is the property: that is the line to change.
    line = (node.get("property") or node.get("envVarKey") or node).here
    return EnvVar(key, "ref", line, sensitive=secret, shape=shape, ref=ref, address=found)


_SHAPES = {
    "host": "host", "hostport": "hostport", "port": "number", "connectionString": "url",
    "connectionPoolString": "url", "user": "text", "password": "text", "database": "text",
}  # fmt: skip


def _copied(known: Names | None, name: str, key: str) -> str:
    """Return the shape of another service's variable that is copied."""
    if key == "RENDER_EXTERNAL_URL":
        return "url"
    if key == "RENDER_EXTERNAL_HOSTNAME":
        return "host"
    node = known.services.get(name) if known is not None else None
    for item in node.get("envVars").items if node is not None else ():
        if item.get("key").value == key:
            return _entry(key, item, None).shape
    return ""

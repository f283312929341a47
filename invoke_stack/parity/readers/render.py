"""Render's `render.yaml` (Blueprint) to a declaration."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from invoke_stack.compose import nodes
from invoke_stack.compose.nodes import Node
from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import (
    Complaint,
    Datastore,
    Declaration,
    Options,
    Process,
)
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.readers import packages, rendercheck, renderenv
from invoke_stack.parity.readers.builds import Source
from invoke_stack.parity.readers.renderservice import Reading, database, keyvalue, process, store
from invoke_stack.parity.workspace import Workspace


def defaults() -> Mapping[str, Any]:
    """Return what Render does where the file does not say."""
    file = resources.files("invoke_stack.parity.readers").joinpath("render_defaults.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


class RenderReader:
    """Reads a Blueprint."""

    name = "render"

    def detect(self, workspace: Workspace) -> tuple[str, ...]:
        """Return the Blueprints of the repository, the one in the root first."""
        return workspace.named("render.yaml", "render.yml")

    def read(self, workspace: Workspace, files: tuple[str, ...], options: Options) -> Declaration:
        """Return what the Blueprint declares.

        Raises:
            UsageError: it cannot be read, is broken YAML, or has no such environment.
        """
        root = nodes.read(workspace.text(files[0]), files[0])
        parts = list(_parts(root, options.environment, files[0]))
        groups = {
            each.get("name").value: renderenv.group(each)
            for part in parts
            for each in part.get("envVarGroups").items
        }
        source = Source(workspace, packages.read(workspace)[0])
        reading = Reading(source, defaults(), renderenv.names(parts), groups)
        processes, stores = _declared(reading, parts)
        complaints = [*reading.complaints, *rendercheck.complaints(root, parts, reading.defaults)]
        stores = _with_names(stores, processes)
        return Declaration(
            options.side, self.name, files[:1], processes, stores, groups,
            problems=tuple(dict.fromkeys(reading.problems)),
            complaints=tuple(sorted(dict.fromkeys(complaints), key=_order)),
        )  # fmt: skip


def _order(each: Complaint) -> tuple[str, int, str, str]:
    return each.src.file, each.src.line, each.kind, each.subject


def _parts(root: Node, environment: str, file: str) -> Iterator[Node]:
    """Yield the nodes that hold services and databases of the wanted environment."""
    found = [
        (each.get("name").value, each)
        for project in root.get("projects").items
        for each in project.get("environments").items
    ]
    names = [name for name, _ in found]
    if environment and environment not in names:
        hint = f"environments here: {', '.join(names) or 'none'}"
        raise UsageError(file, f"no environment of the name {environment}", hint=hint)
    likely = next((name for name in names if name.casefold() in {"production", "prod"}), "")
    wanted = environment or likely or (names[0] if names else "")
    yield root
    yield root.get("ungrouped")
    yield from (each for name, each in found if name == wanted)


def _declared(
    reading: Reading, parts: list[Node]
) -> tuple[dict[str, Process], dict[str, Datastore]]:
    processes: dict[str, Process] = {}
    stores: dict[str, Datastore] = {}
    for part in parts:
        for node in part.get("databases").items:
            each = database(reading, node)
            stores[each.name] = each
        for node in part.get("services").items:
            kind = node.get("type").value
            if kind in {"keyvalue", "redis"}:
                found = keyvalue(reading, node)
                stores[found.name] = found
                continue
            made = process(reading, node)
            own = store(made)
            if own is not None:
                stores[own.name] = own
            else:
                processes[made.name] = made
    return processes, stores


def _with_names(
    stores: Mapping[str, Datastore], processes: Mapping[str, Process]
) -> dict[str, Datastore]:
    """Return the datastores with the variables that point to them."""
    found = {}
    for name, each in stores.items():
        pointing = tuple(
            (process.name, key)
            for process in processes.values()
            for key, value in process.env.items()
            if _points(value, each)
        )
        found[name] = replace(each, referenced=pointing)
    return found


def _points(value: EnvVar, each: Datastore) -> bool:
    named = value.ref is not None and value.ref.kind != "group" and value.ref.name == each.name
    return named or (value.address is not None and value.address.host in each.names)

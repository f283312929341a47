"""Compose files to a declaration, for either side.

First the files as written: lines, variables, env files. Then Compose's own merge of them. Without
Compose the base file alone is read, and what that leaves out is a problem of the declaration.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from invoke_stack.compose import interpolation
from invoke_stack.compose.nodes import Node
from invoke_stack.compose.tolerant import mapping
from invoke_stack.compose.variables import Variable
from invoke_stack.errors import StackError, UsageError
from invoke_stack.parity.declaration import Datastore, Declaration, Options, Problem, Process
from invoke_stack.parity.readers import composecli, composefiles, packages, services, templates
from invoke_stack.parity.readers.builds import Source
from invoke_stack.parity.readers.composecli import PORT, STANDIN
from invoke_stack.parity.readers.composefiles import Written
from invoke_stack.parity.readers.servicebody import Layer
from invoke_stack.parity.repository import Template
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace
from invoke_stack.redaction import MASK, is_sensitive

_NAMES = ("production", "prod")


class ComposeReader:
    """Reads a stack of compose files; as production, a `docker-compose.prod.yml` on a server."""

    name = "compose"

    def detect(self, workspace: Workspace) -> tuple[str, ...]:
        """Return the compose files that are made for a server."""
        names = [
            f"{stem}.{middle}.{ending}"
            for stem in ("compose", "docker-compose")
            for middle in _NAMES
            for ending in ("yaml", "yml")
        ]
        return workspace.named(*names)

    def read(self, workspace: Workspace, files: tuple[str, ...], options: Options) -> Declaration:
        """Return what the files declare.

        Raises:
            UsageError: one of them cannot be read or is broken.
        """
        written = composefiles.load(workspace, files)
        uses = tuple(written.variables())
        folder = posixpath.dirname(files[0]) or "."
        known, _ = templates.read(workspace)
        by_file = {each.file: each for each in known}

        def template_of(path: str) -> str:
            return templates.of_file(known, path, options.templates)

        values = composecli.standins(uses, _given(by_file, template_of, folder))
        problems: list[Problem] = []
        try:
            if written.foreign:
                raise _outside(written)
            document = composecli.merged(workspace, written, folder, values)
        except StackError as problem:
            problems.append(_unmerged(files, problem))
            document = _alone(written.trees[files[0]], values)
        places: dict[tuple[str, int], tuple[tuple[str, bool], ...]] = {}
        for each, _ in uses:
            key = each.file, each.line
            places[key] = (*places.get(key, ()), (each.name, each.operator.endswith("?")))
        bodies = mapping(document.get("services"))
        layer = Layer(
            Source(workspace, packages.read(workspace)[0]), written, folder, by_file, template_of,
            places, values, frozenset(services.jobs(bodies)), problems,
        )  # fmt: skip
        return _declaration(layer, bodies, files, options, tuple(_shown(each) for each, _ in uses))


def _declaration(
    layer: Layer,
    bodies: Mapping[str, Any],
    files: tuple[str, ...],
    options: Options,
    uses: tuple[Any, ...],
) -> Declaration:
    order = {name: index for index, name in enumerate(layer.written.services())}
    names = sorted(bodies, key=lambda name: (order.get(name, len(order)), name))
    found = {name: services.service(layer, name, mapping(bodies[name])) for name in names}
    processes = {name: each for name, each in found.items() if isinstance(each, Process)}
    stores = {name: each for name, each in found.items() if isinstance(each, Datastore)}
    refs = {name: _referenced(each, processes) for name, each in stores.items()}
    return Declaration(
        options.side, "compose", tuple(dict.fromkeys((*files, *layer.written.trees))),
        processes, {name: replace(each, referenced=refs[name]) for name, each in stores.items()},
        variables=uses, problems=tuple(dict.fromkeys(layer.problems)),
        partial=any(each.skipped.startswith("overrides") for each in layer.problems),
    )  # fmt: skip


def _shown(use: Variable) -> Variable:
    """Return a variable without a default that is a secret."""
    secret = use.default and is_sensitive(use.name, use.default)
    return replace(use, default=MASK if secret else use.default, within=())


def _referenced(store: Datastore, processes: Mapping[str, Process]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (process.name, key)
        for process in processes.values()
        for key, each in process.env.items()
        if each.address is not None and each.address.host in store.names
    )


def _given(
    known: Mapping[str, Template], template_of: Callable[[str], str], folder: str
) -> dict[str, str]:
    """Return the values that the template of Compose's own `.env` gives."""
    path = ".env" if folder == "." else f"{folder}/.env"
    template = known.get(template_of(path)) if path not in known else known[path]
    if template is None:
        return {}
    return {
        key: each.value
        for key, each in template.keys.items()
        if each.value and not each.commented and "$" not in each.value and not each.sensitive
    }


def _outside(written: Written) -> UsageError:
    """Return the error for files that Compose would take from elsewhere, or miss."""
    names = ", ".join(written.foreign)[:200]
    hint = "`extends` and `include` must name files of the project"
    return UsageError(
        written.files[0], f"needs {names}, which is no file of the project", hint=hint
    )


def _unmerged(files: tuple[str, ...], problem: StackError) -> Problem:
    where, _, line = problem.where.rpartition(":")
    src = Src(where, int(line)) if line.isdecimal() else Src(files[0], 1)
    skipped = "overrides, extends and include: only the first file was read"
    return Problem(src, f"{problem.where}: {problem.message}", problem.hint, skipped)


def _alone(tree: Node, values: Mapping[str, str]) -> Mapping[str, Any]:
    """Return one file as Compose would print it, as far as that can be done without Compose."""

    def plain(node: Node) -> Any:
        if node.text is not None:
            return None if node.null else _expanded(node, values)
        if node.fields:
            return {key: plain(each) for key, each in node.fields.items() if not each.tag}
        return [plain(each) for each in node.items]

    document = plain(tree)
    return document if isinstance(document, Mapping) else {}


def _expanded(node: Node, values: Mapping[str, str]) -> Any:
    if not node.quoted and node.text in {"true", "false"}:
        return node.text == "true"
    template = interpolation.parse(node.text or "", str(node.src))
    try:
        return interpolation.expand(template, values.get)
    except StackError:
        return PORT if ".ports[" in node.src.path else STANDIN

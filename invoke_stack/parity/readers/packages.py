"""package.json files: scripts, package manager, engines, dependencies, each with its line."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from invoke_stack.errors import StackError
from invoke_stack.parity.declaration import Problem
from invoke_stack.parity.repository import Package
from invoke_stack.parity.values import ABSENT, Src, Val
from invoke_stack.parity.workspace import Workspace, joined

_LOCKS = {
    "package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn", "bun.lockb": "bun", "bun.lock": "bun",
}  # fmt: skip
_KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]:\n]')
_MOST = 400
_LARGEST = 200_000


def read(workspace: Workspace) -> tuple[dict[str, Package], tuple[Problem, ...]]:
    """Return the packages by folder, and those that could not be read."""
    found: dict[str, Package] = {}
    problems = []
    for path in workspace.named("package.json")[:_MOST]:
        if "node_modules/" in path:
            continue
        try:
            text = workspace.text(path)[:_LARGEST]
            document = json.loads(text)
        except StackError as problem:
            problems.append(Problem(Src(path, 1), problem.message, problem.hint))
            continue
        except (ValueError, RecursionError):
            problems.append(Problem(Src(path, 1), "broken JSON", "correct the file"))
            continue
        if isinstance(document, Mapping):
            folder = posixpath.dirname(path) or "."
            found[folder] = _package(workspace, folder, path, text, document)
    return found, tuple(problems)


def _package(
    workspace: Workspace, folder: str, path: str, text: str, document: Mapping[str, Any]
) -> Package:
    lines = dict(_lines(text))
    manager = document.get("packageManager")

    def values(section: str) -> dict[str, Val[str]]:
        inside = document.get(section)
        if not isinstance(inside, Mapping):
            return {}
        return {
            str(key): Val(value, Src(path, lines.get((section, key), 1), f"{section}.{key}"))
            for key, value in inside.items()
            if isinstance(value, str)
        }

    dependencies = {k: v for kind in reversed(_KINDS) for k, v in values(kind).items()}
    locks = {
        _LOCKS[name]: joined(folder, name) for name in _LOCKS if workspace.has(joined(folder, name))
    }
    has_workspaces = "workspaces" in document or workspace.has(
        joined(folder, "pnpm-workspace.yaml")
    )
    place = Src(path, lines.get(("packageManager", ""), 1), "packageManager")
    return Package(
        folder, Src(path, 1),
        name=str(document.get("name") or ""),
        scripts=values("scripts"),
        manager=Val(manager, place) if isinstance(manager, str) else ABSENT,
        lockfiles=locks,
        engines=values("engines"),
        dependencies=dependencies,
        workspaces=has_workspaces,
    )  # fmt: skip


def _lines(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the lines of the keys of the first and second level."""
    depth, line, top = 0, 1, ""
    last: tuple[str, int] | None = None
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "\n":
            line += 1
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        elif mark == ":" and last is not None and depth in {1, 2}:
            name = last[0]
            top = name if depth == 1 else top
            yield ((name, "") if depth == 1 else (top, name)), last[1]
            last = None
        elif mark.startswith('"'):
            last = mark[1:-1], line

"""Node, the package manager of the lock file, and what they have installed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from invoke_stack.doctor.line import Line, ok, told, unknown, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.errors import UsageError
from invoke_stack.parity.rules.languages import within
from invoke_stack.parity.values import version
from invoke_stack.prisma import managers

WHERE = "https://nodejs.org, or your version manager"


def node(patient: Patient) -> Iterator[Line]:
    """Tell whether this machine's Node is the one that package.json asks for."""
    document = package(patient.project.root)
    if document is None:
        return
    engines = document.get("engines")
    asked = str(engines.get("node") or "") if isinstance(engines, Mapping) else ""
    said = patient.first_line("node", "--version")
    yield judged(said.removeprefix("v"), asked)


def judged(has: str, asked: str) -> Line:
    """Return what there is to say about a version of Node, "" for none, and a range."""
    if not has:
        message = "not installed: programs of the project run in containers only"
        return wrong("DOC-NODE", "node", message, f"install it from {WHERE}", state="warning")
    if not asked or asked.strip() == "*":
        return ok("DOC-NODE", "node", f"Node {has} (package.json asks for none in particular)")
    if within(version(has), asked):
        return ok("DOC-NODE", "node", f"Node {has} (package.json asks for {asked})")
    message = f"Node {has}, package.json asks for {asked}"
    fix = f"install Node {version(asked).text} from {WHERE}"
    return wrong("DOC-NODE", "node", message, fix, state="warning", file="package.json")


def manager(patient: Patient) -> Iterator[Line]:
    """Tell whether the package manager of the lock file is there, and has run."""
    project = patient.project
    root = project.root
    if package(root) is None:
        return
    try:
        found = managers.find(project, root)
    except UsageError as problem:
        yield told("DOC-MANAGER", problem)
        return
    if not patient.has(found.name):
        fix = "corepack enable" if found.name in {"pnpm", "yarn"} else f"install {found.name}"
        message = f"not installed ({found.reason})"
        yield wrong("DOC-MANAGER", found.name, message, fix, state="warning")
        return
    if found.doubt:
        message = f"{found.reason} asks for {found.name}, {found.doubt}"
        fix = f"remove {found.doubt.partition(' ')[0]}, or correct packageManager"
        yield wrong("DOC-MANAGER", found.name, message, fix, state="warning")
    elif _installs(root):
        yield ok("DOC-MANAGER", found.name, f"is there ({found.reason})")
    else:
        message = "nothing is installed: there is no node_modules"
        yield unknown("DOC-MANAGER", found.name, message, found.install)


def package(folder: Path) -> Mapping[str, Any] | None:
    """Return a folder's package.json, empty where it is broken; None where there is none."""
    try:
        document = json.loads((folder / "package.json").read_text("utf-8"))
    except OSError:
        return None
    except ValueError:
        return {}
    return document if isinstance(document, Mapping) else {}


def _installs(root: Path) -> bool:
    """Tell whether packages are installed, or none are asked for."""
    document = package(root) or {}
    asks = any(document.get(key) for key in ("dependencies", "devDependencies", "workspaces"))
    there = ("node_modules", ".pnp.cjs", "pnpm-workspace.yaml")
    return not asks or any((root / name).exists() for name in there)

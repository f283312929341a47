"""The resolved env for people and programs: `env.show`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_stack.compose import files, variables
from invoke_stack.compose.ports import Port
from invoke_stack.environment import declared, layers, resolve, selection, views
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.environment.values import ResolvedEnv, Value
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.redaction import masked

VIEWS = ("", "host", "stack")


@dataclass(frozen=True, slots=True)
class Row:
    """One value as it is shown."""

    value: Value
    text: str | None = field(repr=False)

    @property
    def masked(self) -> str:
        """The value for people, without its secret."""
        if self.text is None:
            return "(not set)"
        if self.value.sensitive and masked(self.value.key, self.text) == self.text:
            return f"(set, {len(self.text)} chars)"
        return masked(self.value.key, self.text)

    def document(self, *, reveal: bool) -> dict[str, Any]:
        """Return the JSON of one value; a secret is null unless it is revealed."""
        hidden = self.value.sensitive and not reveal
        return {
            "value": None if hidden else self.text,
            "file": self.value.file,
            "line": self.value.line,
            "origin": self.value.origin,
            "sensitive": self.value.sensitive,
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """The values of one family of env files, or of one service."""

    mode: str
    subject: str
    layers: tuple[str, ...]
    rows: Mapping[str, Row]
    notes: tuple[str, ...]


def show(project: Project, *, view: str = "", only: Selection = ALL) -> tuple[Shown, ...]:
    """Return the resolved env: of every folder with env files, of one, or of one service.

    Args:
        project: the project.
        view: "host" or "stack" changes host and port of URLs; "" shows them as written.
        only: what this service gets through `env_file:`, or the env files of this folder.

    Raises:
        UsageError: a line that two readers read differently, an unknown view or service.
    """
    if view not in VIEWS:
        raise UsageError("--view", f"no such view: {view}", hint="views: host, stack")
    ports: Sequence[Port] = declared.load(project).model.ports() if view else ()
    found = selected(project, only)
    for _, env in found:
        project.secrets.learn(env.secrets())
    return tuple(_shown(project, subject, env, view, ports) for subject, env in found)


def selected(project: Project, only: Selection) -> list[tuple[str, ResolvedEnv]]:
    """Return what a service gets, or the resolved env of every folder that is meant.

    Raises:
        UsageError: no such folder or service, or a folder without env files.
    """
    if only.service:
        return [_service(project, only.service)]
    if not only.folder:
        return families(project)
    meant = selection.folder(project, only.folder)
    main = declared.main_folder(project)
    found = families(project)
    places = [main, *((project.root / name).resolve() for name, _ in found[1:])]
    wanted = main if meant == project.root.resolve() else meant
    pairs = [each for each, place in zip(found, places, strict=True) if place == wanted]
    if not pairs:
        hint = f"folders with env files: {', '.join(name for name, _ in found)}"
        raise UsageError("--dir", f"no env file in {only.folder}", hint=hint)
    return pairs


def families(project: Project) -> list[tuple[str, ResolvedEnv]]:
    """Return the resolved env of every folder with env files, the project's own first."""
    root = declared.main_folder(project)
    found = [(".", _family(project, root, main=True))]
    others = sorted(folders(project.root) - {root, project.root})
    found += [(project.shown(each), _family(project, each, main=False)) for each in others]
    return found


def folders(root: Path, depth: int = 3) -> set[Path]:
    """Return the folders below the root, a few levels deep, that have env files of their own."""
    skipped = {"node_modules", "examples", "backups", "dist", "build", "vendor"}
    found: set[Path] = set()
    entries: list[Path] = []
    with contextlib.suppress(PermissionError):  # such as the bind-mounted data of a database
        entries = sorted(root.iterdir()) if depth else []
    for each in entries:
        if each.is_dir() and not each.is_symlink():
            if not each.name.startswith(".") and each.name not in skipped:
                found |= folders(each, depth - 1)
        elif each.name.startswith(".env") and each not in layers.templates(root).values():
            found.add(root)
    return found


def _family(project: Project, folder: Path, *, main: bool) -> ResolvedEnv:
    mode, named = project.mode(), []
    own = declared.family(project, folder, mode)
    marks = declared.template_marks(project, mode, own, folder)
    env = resolve.resolve(mode, own, project.environ, project.overrides, templates_marks=marks)
    if not main:
        return env
    try:
        found = files.find(project, mode, {**project.environ, **env.exported()})
    except UsageError:  # env files without a stack are fine
        return env
    if found.mode != mode.name:
        mode = project.mode(found.mode)
        own = declared.family(project, folder, mode)
    named = [v for path in found.paths for v in variables.scan(path, project.shown(path))]
    folders = declared.template_folders(project, found)
    return resolve.resolve(
        mode,
        own,
        project.environ,
        project.overrides,
        variables=named,
        templates_marks=declared.template_marks(project, mode, own, *folders),
    )


def _service(project: Project, name: str) -> tuple[str, ResolvedEnv]:
    stack = declared.load(project)
    service = stack.model.services.get(name)
    if service is None:
        known = ", ".join(sorted(stack.model.services))
        raise UsageError("--service", f"no such service: {name}", hint=f"services: {known}")
    return name, declared.service_values(project, stack, service)


def _shown(
    project: Project, subject: str, env: ResolvedEnv, view: str, ports: Sequence[Port]
) -> Shown:
    notes = list(env.notes)
    rows = {}
    for key, value in sorted(env.values.items()):
        text = value.text
        if text is not None and view:
            try:
                text = _viewed(project, view, key, text, ports)
            except UsageError as problem:
                notes.append(f"{problem}: shown as written")
        rows[key] = Row(value, text)
    return Shown(env.mode, subject, env.layers, rows, tuple(notes))


def _viewed(project: Project, view: str, key: str, text: str, ports: Sequence[Port]) -> str:
    change = views.to_host if view == "host" else views.to_stack
    return change(key, text, ports, extra=project.settings.env.rewrite)

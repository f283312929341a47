"""`env.explain`: one key, who sets it, who else did, what it is made of, and how it is seen."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from invoke_stack.compose.ports import Port
from invoke_stack.environment import declared, shown, views
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.environment.shown import Row
from invoke_stack.environment.values import Place, ResolvedEnv, Value
from invoke_stack.errors import StackError, UsageError
from invoke_stack.project import Project


@dataclass(frozen=True, slots=True)
class Used:
    """A variable that the winning text refers to; for the key itself the next lower layer."""

    name: str
    row: Row | None
    place: Place | None

    def document(self, *, reveal: bool) -> dict[str, Any]:
        """Return the JSON of a reference."""
        value = self.row.document(reveal=reveal)["value"] if self.row else None
        return {"name": self.name, "value": value, **_place(self.place)}


@dataclass(frozen=True, slots=True)
class Explained:
    """One key in one family of env files.

    Attributes:
        subject: the family's folder.
        row: the value that won, with its origin.
        used: the references in it, with theirs.
        host: the value as a program on this machine needs it; None where that is unknown.
        stack: the same as a container needs it.
        notes: why a view is unknown, and what else to know.
    """

    subject: str
    mode: str
    row: Row
    used: tuple[Used, ...]
    host: Row | None = field(repr=False)
    stack: Row | None = field(repr=False)
    notes: tuple[str, ...] = ()

    def document(self, *, reveal: bool) -> dict[str, Any]:
        """Return the JSON of a key; a secret is null unless it is revealed."""
        return {
            "folder": self.subject,
            **self.row.document(reveal=reveal),
            "set": self.row.text is not None,
            "shadowed": [_place(each) for each in self.row.value.shadowed],
            "references": [each.document(reveal=reveal) for each in self.used],
            "host": self.host.document(reveal=reveal)["value"] if self.host else None,
            "stack": self.stack.document(reveal=reveal)["value"] if self.stack else None,
            "notes": list(self.notes),
        }


def explain(project: Project, key: str, only: Selection = ALL) -> tuple[Explained, ...]:
    """Explain a key in every family of env files that knows it, in one, or for one service.

    Raises:
        UsageError: no such folder or service, or nobody names the key; the hint has the nearest.
    """
    families = shown.selected(project, only)
    for _, env in families:
        project.secrets.learn(env.secrets())
    found = [(subject, env) for subject, env in families if key in env.values]
    if not found:
        raise _unknown(key, families)
    ports, notes = _ports(project, key)
    return tuple(_explained(project, subject, env, key, ports, notes) for subject, env in found)


def _unknown(key: str, families: Sequence[tuple[str, ResolvedEnv]]) -> UsageError:
    known = sorted({name for _, env in families for name in env.values})
    by_name = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(key.casefold(), by_name, n=1)
    hint = f"did you mean {by_name[near[0]]}?" if near else "inv env.show lists the keys"
    return UsageError(f"--key {key}", "no env file, template or compose file names it", hint=hint)


def _ports(project: Project, key: str) -> tuple[Sequence[Port] | None, tuple[str, ...]]:
    """Return Compose's published ports where the key needs them, else why they are unknown."""
    if not views.has_views(key, extra=project.settings.env.rewrite):
        return (), ()
    try:
        return declared.load(project).model.ports(), ()
    except StackError as problem:
        return None, (f"host and stack view are unknown: {problem}",)


def _explained(  # noqa: PLR0913 - the parts of one answer
    project: Project,
    subject: str,
    env: ResolvedEnv,
    key: str,
    ports: Sequence[Port] | None,
    notes: tuple[str, ...],
) -> Explained:
    value = env.values[key]
    row = Row(value, value.text)
    seen: dict[str, Row | None] = {"host": None, "stack": None}
    said = [*notes, *(note for note in env.notes if key in note)]
    for name, change in (("host", views.to_host), ("stack", views.to_stack)):
        if ports is None or value.text is None:
            continue
        try:
            text = change(key, value.text, ports, extra=project.settings.env.rewrite)
        except UsageError as problem:
            said.append(f"no {name} view: {problem}; {problem.hint}")
        else:
            seen[name] = Row(value, text)
    used = tuple(_used(value, name, env.values) for name in value.references)
    return Explained(subject, env.mode, row, used, seen["host"], seen["stack"], tuple(said))


def _used(value: Value, name: str, values: Mapping[str, Value]) -> Used:
    if name == value.key:
        return Used(name, None, value.shadowed[0] if value.shadowed else None)
    target = values.get(name)
    if target is None:
        return Used(name, None, None)
    return Used(name, Row(target, target.text), target.place)


def _place(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"origin": None, "file": None, "line": None}
    return {"origin": place.origin, "file": place.file, "line": place.line}

"""Which migration tool a project uses: the setting `db.tool`, else the one that recognises it."""

from __future__ import annotations

import pkgutil
from typing import Any

from invoke_stack.database.migrating import Tool
from invoke_stack.database.sqlfiles.tool import SqlFiles
from invoke_stack.errors import UsageError
from invoke_stack.prisma.tool import Prisma
from invoke_stack.project import Project

SETTING = "stack.db.tool"


def built_in() -> tuple[Tool, ...]:
    """Return the tools that need no setting, in the order in which they are asked."""
    return (Prisma(), SqlFiles())


def find(project: Project) -> Tool:
    """Return the project's migration tool.

    Raises:
        UsageError: none recognises the project, or the setting names none.
    """
    found = known(project)
    if found is None:
        names = ", ".join(each.name for each in built_in())
        raise UsageError(
            project.root.name,
            "no migrations found here: no Prisma schema, no migrations/*.sql",
            hint="write migrations/0001_first.sql, or a Prisma schema (npx prisma init); "
            f"known tools: {names}, others by the setting {SETTING}: docs/migrations.md",
        )
    return found


def known(project: Project) -> Tool | None:
    """Return the project's migration tool, or None where it has none.

    Raises:
        UsageError: the setting names none.
    """
    chosen = project.settings.db.tool
    if chosen:
        return loaded(chosen)
    return next((each for each in built_in() if each.recognises(project)), None)


def loaded(chosen: Any) -> Tool:
    """Return the tool that a setting means: a built-in name, an object or "module:name".

    Raises:
        UsageError: a name leads nowhere, or to something that is no tool.
    """
    found = next((each for each in built_in() if each.name == chosen), chosen)
    if isinstance(found, str):
        try:
            found = pkgutil.resolve_name(found)
        except (ImportError, AttributeError, ValueError) as problem:
            hint = "a tool's name, or module:name of a module that Python finds from the root"
            raise UsageError(SETTING, f"{chosen}: {problem}", hint=hint) from problem
    if isinstance(found, type):
        found = found()
    if not isinstance(found, Tool):
        hint = "see invoke_stack.database.migrating.Tool for what it needs"
        raise UsageError(SETTING, f"{chosen!r} is not a migration tool", hint=hint)
    return found

"""A template for a project that has none: from what its stack and its Prisma schema name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose.variables import Variable
from invoke_stack.environment import dotenv, secretgen, templates, types
from invoke_stack.environment import needs as stacks
from invoke_stack.environment.needs import Needs
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive
from invoke_stack.scaffold import writing

FILE = ".env.example"
HEAD = (
    "# Template of .env. `inv env.init` makes the copy and fills in the secrets; git ignores it.\n"
)
_SCHEMAS = (
    "prisma/schema.prisma",
    "prisma/schema/*.prisma",
    "*/prisma/schema.prisma",
    "packages/*/prisma/schema.prisma",
    "apps/*/prisma/schema.prisma",
)
_NAMED = re.compile(r"""\benv\(\s*["'](\w+)["']\s*\)""")
# Known to every shell or to Compose itself, or decided by the mode.
_ELSEWHERE = re.compile(
    r"USER|PWD|UID|GID|HOSTNAME|SHELL|TMPDIR|LANG|CI|NODE_ENV|COMPOSE_.*|DOCKER_.*"
)
_PARTS = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")


def proposed(project: Project) -> str:
    """Return a template for a project that has none; "" where it has one.

    Raises:
        UsageError: there is no template and nothing to make one from.
    """
    needs = stacks.find(project)
    if templates.targets(project, needs) or templates.other_modes(project, needs):
        return ""
    found = text(project, needs)
    if not found:
        raise UsageError(
            FILE,
            "there is no template, and no compose file or Prisma schema names a variable",
            hint=f"write {FILE} with one NAME=value per line",
        )
    return found


def write(project: Project, proposed: str, report: events.Report) -> Path:
    """Write the proposed template."""
    path = templates.main_folder(project) / FILE
    if project.dry:
        report(events.Planned(f"write {project.shown(path)}"))
    else:
        writing.shared(path, proposed)
    return path


def text(project: Project, needs: Needs) -> str:
    """Return a template's text; "" when nothing in the project names a variable."""
    uses: dict[str, list[Variable]] = {}
    for each in needs.variables:
        if not _ELSEWHERE.fullmatch(each.name) and not dotenv.RESERVED.fullmatch(each.name):
            uses.setdefault(each.name, []).append(each)
    named = dict(schema_names(project))
    # Compose can put its own default together, Prisma on this machine cannot.
    apart = {
        key: file
        for key, file in named.items()
        if not any(each.default and "$" not in each.default for each in uses.get(key, ()))
    }
    blocks = [_compose(name, found) for name, found in uses.items() if name not in apart]
    blocks += [_prisma(key, file, uses) for key, file in apart.items()]
    return "\n".join([HEAD, *blocks]) if blocks else ""


def schema_names(project: Project) -> Iterator[tuple[str, str]]:
    """Yield the variables that Prisma schemas name, with the schema."""
    for pattern in _SCHEMAS:
        for path in sorted(project.root.glob(pattern)):
            if "node_modules" not in path.parts:
                found = _NAMED.findall(path.read_text("utf-8", errors="replace"))
                yield from ((key, project.shown(path)) for key in found)


def _compose(name: str, uses: Sequence[Variable]) -> str:
    places = ", ".join(dict.fromkeys(each.file for each in uses))
    default = next((each.default for each in uses if each.default is not None), None)
    required = any(each.operator.endswith("?") for each in uses)
    if secretgen.self_made(name):
        return f"# {places}\n# @required @sensitive @generate=hex(24)\n{name}=\n"
    marks = ["@required"] if required else []
    marks += ["@sensitive"] if is_sensitive(name, default) else []
    kind = types.implied(name, default or "")
    marks += [f"@type={kind[0].name}"] if kind else []
    lead = f"# {places}\n" + (f"# {' '.join(marks)}\n" if marks else "")
    if default is not None and "$" in default:
        return f"{lead}# {name}=\n"  # Compose puts its default together itself
    return f"{lead}{name}={_written(default or '')}\n"


def _written(value: str) -> str:
    if set(value) <= secretgen.ALPHABET:
        return value
    return f"'{value}'" if not set(value) & set("'\\\r\n") else ""


def _prisma(key: str, file: str, uses: dict[str, list[Variable]]) -> str:
    lead = f"# {file}\n# @required @sensitive @type=url\n"
    if not all(name in uses for name in _PARTS) or not key.endswith("_URL"):
        return f"{lead}# @example=postgresql://app:secret@localhost:5432/app\n{key}=\n"
    user, password, database = (f"${{{name}}}" for name in _PARTS)
    port = "${POSTGRES_PORT}" if "POSTGRES_PORT" in uses else "5432"
    return f"{lead}{key}=postgresql://{user}:{password}@localhost:{port}/{database}\n"

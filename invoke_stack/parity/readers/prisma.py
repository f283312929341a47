"""Prisma schemas: provider, the variables they need, generator, migrations, version."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from invoke_stack.errors import StackError
from invoke_stack.parity.repository import Migrations, Package, Schema
from invoke_stack.parity.values import ABSENT, Src, Val, Version, version
from invoke_stack.parity.workspace import Workspace, joined

_BLOCK = re.compile(r"^\s*(datasource|generator)\s+\w+\s*\{")
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*(.+?)\s*(?://.*)?$")
_ENV = re.compile(r"env\(\s*[\"']([A-Za-z_]\w*)[\"']\s*\)")
_MOST = 40


def read(workspace: Workspace, packages: Mapping[str, Package]) -> tuple[Schema, ...]:
    """Return the schemas; one that is spread over a folder counts by the file with `datasource`."""
    names = [each for each in sorted(workspace.files) if each.endswith(".prisma")][:_MOST]
    found = (_schema(workspace, packages, name) for name in names)
    return tuple(each for each in found if each is not None)


def _schema(workspace: Workspace, packages: Mapping[str, Package], file: str) -> Schema | None:
    try:
        text = workspace.text(file)
    except StackError:
        return None
    fields = _chosen(_fields(text))
    if not any(block == "datasource" for block, _ in fields):
        return None
    source = min(line for (block, _), (_, line) in fields.items() if block == "datasource")

    def val(block: str, key: str) -> Val[str]:
        if (block, key) not in fields:
            return ABSENT
        value, line = fields[block, key]
        return Val(value.strip("\"'"), Src(file, line, f"{block}.{key}"))

    folder = posixpath.dirname(file) or "."
    env = {
        name: Src(file, line, f"datasource.{key}")
        for (block, key), (value, line) in fields.items()
        if block == "datasource"
        for name in _ENV.findall(value)
    }
    package = _package(packages, folder)
    config, config_env = _config(workspace, folder)
    stated = _version(packages, package)
    generator = val("generator", "provider")
    engine = _has_engine(stated, generator, val("generator", "engineType"))
    return Schema(
        file, Src(file, source, "datasource"), val("datasource", "provider"), {**config_env, **env},
        generator, engine,
        tuple(re.findall(r"[\"']([\w.-]+)[\"']", fields.get(("generator", "binaryTargets"), ("", 0))[0])),
        tuple(re.findall(r"(\w+)(?:\(|,|\])", fields.get(("datasource", "extensions"), ("", 0))[0])),
        _migrations(workspace, folder, config), stated,
    )  # fmt: skip


def _chosen(found: Iterator[tuple[str, str, str, int]]) -> dict[tuple[str, str], tuple[str, int]]:
    """Return the fields of the datasource and of the generator that makes the client."""
    fields: dict[tuple[str, str], tuple[str, int]] = {}
    generators: list[dict[tuple[str, str], tuple[str, int]]] = []
    for block, key, value, line in found:
        if block == "generator":
            if not key:
                generators.append({})
            generators[-1][block, key] = value, line
        else:
            fields.setdefault((block, key), (value, line))
    clients = [
        each
        for each in generators
        if each.get(("generator", "provider"), ("", 0))[0].strip("\"'").startswith("prisma-client")
    ]
    return fields | next(iter(clients or generators), {})


def _fields(text: str) -> Iterator[tuple[str, str, str, int]]:
    block = ""
    for number, line in enumerate(text.splitlines(), 1):
        if opened := _BLOCK.match(line):
            block = opened[1]
            yield block, "", "", number
        elif line.strip().startswith("}"):
            block = ""
        elif block and (found := _FIELD.match(line)):
            yield block, found[1], found[2], number


def _package(packages: Mapping[str, Package], folder: str) -> Package | None:
    place = folder
    while place not in packages and place not in {".", ""}:
        place = posixpath.dirname(place) or "."
    return packages.get(place)


def _version(packages: Mapping[str, Package], package: Package | None) -> Val[Version]:
    tried = [each for each in (package, packages.get(".")) if each is not None]
    tried += [each for each in packages.values() if each not in tried]
    for each in tried:
        for name in ("prisma", "@prisma/client"):
            stated = each.dependencies.get(name)
            if stated is not None and re.search(r"\d", stated.value or ""):
                return Val(version(stated.value or ""), stated.src)
    return Val(None, certainty="unknown")


def _has_engine(stated: Val[Version], generator: Val[str], kind: Val[str]) -> bool:
    """Tell whether a Rust engine runs, which needs the system's OpenSSL."""
    seven = stated.value is not None and (stated.value.major or 0) >= 7  # noqa: PLR2004
    return not (seven or kind.value == "client" or generator.value == "prisma-client")


def _config(workspace: Workspace, folder: str) -> tuple[str, dict[str, Src]]:
    """Return the text of a `prisma.config.ts` above a schema, and the variables it needs."""
    place = folder
    while True:
        for name in ("prisma.config.ts", "prisma.config.js", "prisma.config.mjs"):
            file = joined(place, name)
            if workspace.has(file) and workspace.readable(file):
                text = workspace.text(file)
                lines = enumerate(text.splitlines(), 1)
                return text, {
                    key: Src(file, number, "datasource.url")
                    for number, line in lines
                    if not line.strip().startswith("//")
                    for key in (
                        *_ENV.findall(line),
                        *re.findall(r"url:.*process\.env\.(\w+)", line),
                    )
                }
        if place in {".", ""}:
            return "", {}
        place = posixpath.dirname(place) or "."


def _migrations(workspace: Workspace, folder: str, config: str) -> str:
    stated = re.search(r"migrations\s*:\s*\{[^}]*path\s*:\s*[\"']([^\"']+)", config)
    candidates = [
        joined(folder, "migrations"),
        joined(posixpath.dirname(folder) or ".", "migrations"),
    ]
    if stated:
        above = (folder, posixpath.dirname(folder) or ".", ".")
        candidates = [*(joined(each, stated[1]) for each in above), *candidates]
    return next((each for each in candidates if each in workspace.folders), "")


_TOOLS = (
    # tool, what its folder holds, package that must be there ("" for none)
    ("drizzle", re.compile(r"^(?P<dir>.*?)/meta/_journal\.json$")),
    ("alembic", re.compile(r"^(?P<dir>.*?(?:alembic|migrations))/env\.py$")),
    ("django", re.compile(r"^(?P<dir>.*/migrations)/0001_\w+\.py$")),
    ("rails", re.compile(r"^(?P<dir>(?:.*/)?db/migrate)/\d+_\w+\.rb$")),
    ("flyway", re.compile(r"^(?P<dir>.*?)/V\d+(?:[._]\d+)*__\w+\.sql$")),
)
_NODE_TOOLS = ("knex", "sequelize", "typeorm", "drizzle-kit", "node-pg-migrate", "umzug")


def migrations(
    workspace: Workspace, packages: Mapping[str, Package], schemas: tuple[Schema, ...]
) -> tuple[Migrations, ...]:
    """Return the migration tools in use, each with its folder."""
    found = [_of_prisma(workspace, each) for each in schemas]
    seen = {each.folder for each in found}
    for name in sorted(workspace.files):
        for tool, pattern in _TOOLS:
            match = pattern.match(name)
            # Django has a folder for each app; one of them speaks for all.
            key = tool if tool == "django" else match["dir"] if match else ""
            if match and key not in seen:
                seen.add(key)
                found.append(Migrations(tool, match["dir"], Src(name, 0), 1))
    if not any(each.count for each in found):
        found += _of_packages(workspace, packages)
    return tuple(found)


def _of_prisma(workspace: Workspace, schema: Schema) -> Migrations:
    below = workspace.below(schema.migrations) if schema.migrations else ()
    count = sum(each.endswith("/migration.sql") for each in below)
    place = Src(schema.migrations, 0) if schema.migrations else schema.src
    return Migrations("prisma", schema.migrations, place, count)


def _of_packages(workspace: Workspace, packages: Mapping[str, Package]) -> Iterator[Migrations]:
    for package in packages.values():
        for tool in _NODE_TOOLS:
            if tool not in package.dependencies:
                continue
            name = tool.removesuffix("-kit")
            inside = [
                joined(package.folder, each)
                for each in (
                    "migrations",
                    "src/migrations",
                    "db/migrations",
                    "drizzle",
                    "sql/migrations",
                )
            ]
            folder = next((each for each in inside if each in workspace.folders), "")
            files = (
                [
                    each
                    for each in workspace.below(folder)
                    if re.search(r"\d", posixpath.basename(each))
                ]
                if folder
                else []
            )
            yield Migrations(name, folder, package.dependencies[tool].src, len(files))

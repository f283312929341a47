"""The package that owns Prisma: its folder, schema, migrations, version and scripts.

What is asked for here are files alone; no program is started. Where Prisma looks for its files:
https://www.prisma.io/docs/orm/reference/prisma-config-reference and, for 6, `package.json#prisma`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_stack.errors import UsageError
from invoke_stack.project import Project

SUFFIXES = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")
SCHEMAS = ("prisma/schema.prisma", "schema.prisma", "prisma/schema")
SKIPPED = frozenset(
    {"node_modules", "dist", "build", "out", "vendor", "examples", "backups", "coverage", "target"}
)
DEPTH = 3
NEWEST = 7
"""The major version taken where none can be read."""

_COMMENT = re.compile(r"/\*.*?\*/|(?m:(?:^|\s)//[^\n]*$)", re.DOTALL)
_WORDS = re.compile(r"""["'`]([^"'`$]+)["'`]""")
_FIXED = re.compile(r"""(?m)^[^/\n]*\b(?:url|directUrl)\s*[=:]\s*["'`]\w+(?:\+\w+)?://""")
_ENV = re.compile(r"""\benv\(\s*["'](\w+)["']\s*\)|process\.env(?:\.(\w+)|\[["'](\w+)["']\])""")
_SHADOW = re.compile(r"\bshadowDatabaseUrl\s*[:=][^,\n}]*")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that owns Prisma.

    Attributes:
        folder: where its package.json lies and Prisma runs.
        schema: the schema file, or a folder of them; None where there is none.
        config: its prisma.config file, or None.
        migrations: the folder of the migrations, whether it exists or not.
        installed: the folder of the installed `prisma` package, or None.
        version: of the installed package, else what package.json asks for; "" for none.
        scripts: its scripts by name.
        seed: whether a seed command is declared.
        keys: the variables that the schema or the config takes the database's URL from.
        fixed: one of them writes a URL out.
    """

    folder: Path
    schema: Path | None
    config: Path | None
    migrations: Path
    installed: Path | None
    version: str
    scripts: Mapping[str, str] = field(default_factory=dict)
    seed: bool = False
    keys: tuple[str, ...] = ()
    fixed: bool = False

    @property
    def major(self) -> int:
        """The major version, which decides the flags."""
        found = re.search(r"\d+", self.version)
        return int(found[0]) if found else NEWEST


def find(project: Project) -> Package | None:
    """Return the package that owns Prisma, or None.

    Raises:
        UsageError: there are several, or the setting names a folder without one.
    """
    named = project.settings.db.package
    if named:
        folder = (project.root / named).resolve()
        found = read(folder, project.root)
        if found is None:
            hint = "name the folder with prisma.config.* or prisma/schema.prisma"
            raise UsageError("stack.db.package", f"no Prisma project in {named}", hint=hint)
        return found
    # The root's own comes first: what lies below it may be another package's copy.
    root = read(project.root, project.root)
    if root is not None:
        return root
    below = [
        each for folder in _folders(project.root, DEPTH) if (each := read(folder, project.root))
    ]
    own = [each for each in below if depends(_document(each.folder))] or below
    if len(own) > 1:
        names = ", ".join(project.shown(each.folder) for each in own)
        hint = f"name one in the setting stack.db.package; found: {names}"
        raise UsageError("stack.db.package", "several packages own a Prisma schema", hint=hint)
    return own[0] if own else None


def require(project: Project) -> Package:
    """Return the package that owns Prisma.

    Raises:
        UsageError: there is none, or several.
    """
    found = find(project)
    if found is None:
        hint = "name its folder in the setting stack.db.package"
        raise UsageError(project.root.name, "no package here owns a Prisma schema", hint=hint)
    return found


def generates(package: Package) -> bool:
    """Return whether the schema has a generator."""
    texts = (path.read_text("utf-8", "replace") for path in _schema_files(package.schema))
    return any(re.search(r"(?m)^\s*generator\s+\w+\s*\{", text) for text in texts)


def read(folder: Path, root: Path) -> Package | None:
    """Return the Prisma package in a folder, or None when it is none."""
    document = _document(folder)
    config = config_file(folder)
    text = _COMMENT.sub("", config.read_text("utf-8", "replace")) if config else ""
    schema = _schema(folder, document, text)
    # A schema without any Prisma around it may be a fixture; a missing one may be a mistake.
    meant = config is not None or (depends(document) and (folder / "prisma").is_dir())
    if not meant and (schema is None or not _nearest(folder, root)):
        return None
    installed = installed_in(folder, root)
    return Package(
        folder=folder,
        schema=schema if schema is not None and schema.exists() else None,
        config=config,
        migrations=_migrations(folder, schema, text),
        installed=installed,
        version=_version(installed) or _asked(folder, root),
        scripts={str(k): str(v) for k, v in _mapping(document.get("scripts")).items()},
        seed=bool(_mapping(document.get("prisma")).get("seed")) or _has_seed(text),
        keys=url_keys(schema, text),
        fixed=fixed_url(schema, text),
    )


def config_file(folder: Path) -> Path | None:
    """Return the folder's Prisma config file."""
    stems = (folder / "prisma.config", folder / ".config" / "prisma")
    paths = (stem.with_name(stem.name + suffix) for stem in stems for suffix in SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def depends(document: Mapping[str, Any]) -> bool:
    """Return whether a package.json asks for the `prisma` package."""
    return bool(_asks(document))


def installed_in(folder: Path, root: Path) -> Path | None:
    """Return the nearest installed `prisma` package, from the folder up to the project's root."""
    for each in _upwards(folder, root):
        found = each / "node_modules" / "prisma"
        if (found / "package.json").is_file():
            return found
    return None


def url_keys(schema: Path | None, config: str) -> tuple[str, ...]:
    """Return the variables that the datasource's URLs are taken from, the main one first.

    The shadow database's own variable is none of them.
    """
    found = _ENV.findall(_sources(schema, config))
    return tuple(dict.fromkeys(next(filter(None, each)) for each in found))


def fixed_url(schema: Path | None, config: str) -> bool:
    """Return whether a URL of the datasource is written out, so that no variable changes it."""
    return bool(_FIXED.search(_sources(schema, config)))


def _sources(schema: Path | None, config: str) -> str:
    parts = [config] if "datasource" in config else []
    parts += [_datasource(path) for path in _schema_files(schema)]
    return "\n".join(_SHADOW.sub("", part) for part in parts)


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    yield folder
    if folder != root and root in folder.parents:
        yield from _upwards(folder.parent, root)


def _nearest(folder: Path, root: Path) -> bool:
    """Return whether this package or one around it asks for Prisma or its client."""
    return any(
        depends(document) or "@prisma/client" in _dependencies(document)
        for document in map(_document, _upwards(folder, root))
    )


def _folders(root: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(root), key=lambda each: each.name) if depth else []
    except OSError:  # such as the bind-mounted data of a database
        return
    for each in entries:
        if each.name.startswith(".") or each.name in SKIPPED:
            continue
        if each.is_dir(follow_symlinks=False):
            yield Path(each.path)
            yield from _folders(Path(each.path), depth - 1)


def _schema(folder: Path, document: Mapping[str, Any], config: str) -> Path | None:
    """Return where the schema is, or is said to be."""
    said = _path(config, "schema") or _mapping(document.get("prisma")).get("schema")
    if said:
        return (folder / str(said)).resolve()
    return next((folder / name for name in SCHEMAS if (folder / name).exists()), None)


def _migrations(folder: Path, schema: Path | None, config: str) -> Path:
    block = re.search(r"\bmigrations\s*:\s*\{(.*?)\}", config, re.DOTALL)
    said = _path(block[1], "path") if block else ""
    if said:
        return (folder / said).resolve()
    if schema is None:
        return folder / "prisma" / "migrations"
    inside = schema / "migrations"
    return inside if inside.is_dir() else schema.parent / "migrations"


def _path(text: str, key: str) -> str:
    """Return the path that a key of a config file has: a text, or path.join of several."""
    found = re.search(rf"\b{key}\s*:\s*([^,\n]*\([^)]*\)|[^,\n}}]*)", text)
    return "/".join(_WORDS.findall(found[1])) if found else ""


def _has_seed(config: str) -> bool:
    return re.search(r"\bseed\s*:", config) is not None


def _schema_files(schema: Path | None) -> list[Path]:
    if schema is None or not schema.exists():
        return []
    return sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]


def _datasource(path: Path) -> str:
    text = re.sub(r"(?m)^\s*//.*$", "", path.read_text("utf-8", "replace"))
    found = re.search(r"^\s*datasource\s+\w+\s*\{(.*?)^\s*\}", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def _document(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "package.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _dependencies(document: Mapping[str, Any]) -> dict[str, Any]:
    return _mapping(document.get("dependencies")) | _mapping(document.get("devDependencies"))


def _asks(document: Mapping[str, Any]) -> str:
    return str(_dependencies(document).get("prisma") or "")


def _asked(folder: Path, root: Path) -> str:
    return next(filter(None, (_asks(_document(each)) for each in _upwards(folder, root))), "")


def _version(installed: Path | None) -> str:
    return "" if installed is None else str(_document(installed).get("version") or "")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""Settings: the `stack:` key, `INVSTACK_*` variables and what `namespace({...})` was given.

Every source is a plain mapping. They are merged deeply, lowest rank first, and turned into
frozen dataclasses; an unknown key is an error that names the source and the nearest key.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from invoke_stack import casting

PREFIX = "INVSTACK_"


def _setting(default: Any, text: str, *choices: str) -> Any:
    """Declare a setting: its default, the sentence that the docs show, and its only values."""
    notes = {"help": text, "choices": choices}
    if isinstance(default, (dict, tuple)):
        return field(default_factory=lambda: default, metadata=notes)
    return field(default=default, metadata=notes)


@dataclass(frozen=True, slots=True)
class ComposeSettings:
    """Which compose files make the stack."""

    files: tuple[str, ...] = _setting((), "Compose files, in order, for every mode.")
    profiles: tuple[str, ...] = _setting((), "Profiles that are always active.")


@dataclass(frozen=True, slots=True)
class EnvSettings:
    """Where env files lie and what they may say."""

    directory: str = _setting("", "Folder of the root family of env files; the project root.")
    allow: tuple[str, ...] = _setting((), "Reserved keys (PATH, NODE_OPTIONS, …) files may set.")
    templates: Mapping[str, str] = _setting(
        {}, "Template: the env file it makes; both named from the root."
    )
    rewrite: tuple[str, ...] = _setting((), "Further keys whose URL has a host and a stack view.")


@dataclass(frozen=True, slots=True)
class KeepSettings:
    """How many backups db.prune keeps: the last ones, and the newest of each period."""

    last: int = _setting(10, "The last backups.")
    daily: int = _setting(7, "The newest backup of each of the last days that have one.")
    weekly: int = _setting(4, "The newest of each of the last ISO weeks that have one.")
    monthly: int = _setting(6, "The newest of each of the last months that have one.")


@dataclass(frozen=True, slots=True)
class DbSettings:
    """The stack's database and its backups."""

    service: str = _setting("", "The database service; found by image family.")
    name: str = _setting("", "Database name; what the service declares.")
    user: str = _setting("", "Database user; what the service declares.")
    directory: str = _setting("backups", "Folder of the backups, from the project root.")
    compression: str = _setting("auto", "auto, zstd:LEVEL, gzip:LEVEL or none.")
    timeout: int = _setting(60, "Seconds that db.wait waits.")
    protected: tuple[str, ...] = _setting(
        ("prod", "production", "live"),
        "Words or patterns of database and host names that are never replaced.",
    )
    keep: KeepSettings = field(default_factory=KeepSettings)
    prune: bool = _setting(default=False, text="Prune after every successful db.backup.")
    providers: tuple[Any, ...] = _setting(
        (), "Further database providers: objects or 'module:name'."
    )
    tool: Any = _setting(  # noqa: RUF009 - as all others; only this one's type is free
        "", "The migration tool: its name, an object or 'module:name'; detected."
    )
    package: str = _setting("", "Folder of the package that owns Prisma; found.")
    manager: str = _setting("", "Its package manager: npm, pnpm, yarn or bun; found.")
    safety: bool = _setting(default=True, text="Back up before db.migrate outside dev.")


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """The stack's cache."""

    service: str = _setting("", "The cache service; found by image family.")


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """Where the embedded engine's servers are."""

    postgres: str = _setting("", "Folder of PostgreSQL's programs; found.")
    redis: str = _setting("", "Folder of the programs of Redis or Valkey; found.")


@dataclass(frozen=True, slots=True)
class ProductionSettings:
    """Which files describe production."""

    reader: str = _setting("", "Reader of production: render, compose or one of your own.")
    files: tuple[str, ...] = _setting((), "Files that describe production; found by name.")
    environment: str = _setting("", "The environment, where the file has several.")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Which compose files make the local stack that is compared."""

    base: tuple[str, ...] = _setting((), "Compose files of every mode; found by name.")
    dev: tuple[str, ...] = _setting((), "Files on top of base for development.")
    prod: tuple[str, ...] = _setting((), "Files on top of base for the prod-like stack.")


@dataclass(frozen=True, slots=True)
class AcceptSettings:
    """A finding that the project lives with."""

    rule: str = _setting("", "The rule: PAR203, IMG101.")
    match: str = _setting("", "Only findings with this text in subject, message or file.")
    reason: str = _setting("", "Why it is accepted.")
    until: str = _setting("", "Date from which it counts again: 2026-12-31.")


@dataclass(frozen=True, slots=True)
class ParitySettings:
    """How `parity.check` compares production with the local stack."""

    production: ProductionSettings = field(default_factory=ProductionSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    map: Mapping[str, str] = _setting({}, "Production service to local service.")
    facts: Mapping[str, Any] = _setting({}, "What no file says: `postgres_major: 16`.")
    fail: str = _setting(
        "error", "Severity from which the check fails.", "error", "warning", "info"
    )
    select: tuple[str, ...] = _setting((), "Only these rules, or rules with these beginnings.")
    ignore: tuple[str, ...] = _setting((), "Not these rules, or rules with these beginnings.")
    accept: tuple[AcceptSettings, ...] = _setting((), "Accepted findings, each with a reason.")
    rules: tuple[Any, ...] = _setting((), "Further rules: functions or 'module:name'.")
    readers: tuple[Any, ...] = _setting((), "Further readers: objects or 'module:name'.")


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What built images may weigh, and what the project lives with."""

    budget: Any = _setting(  # noqa: RUF009 - a field, like all others
        "", "Largest size: 500MB, {warning: 400MB, error: 500MB}, or one of them by service."
    )
    accept: tuple[AcceptSettings, ...] = _setting((), "Accepted findings, each with a reason.")


@dataclass(frozen=True, slots=True)
class ModeSettings:
    """A mode that the project adds, or what it changes in a built-in one."""

    layers: tuple[str, ...] = _setting((), "Env files, lowest rank first.")
    files: tuple[str, ...] = _setting((), "Compose files, in order.")
    profiles: tuple[str, ...] = _setting((), "Compose profiles.")
    node: str = _setting("", "Value of NODE_ENV.")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything under `stack:`."""

    mode: str = _setting("dev", "Mode of tasks that got no mode flag.")
    engine: str = _setting(
        "auto",
        "auto, docker or embedded; auto: embedded where no Docker answers.",
        "auto",
        "docker",
        "embedded",
    )
    override: bool = _setting(
        default=True, text="Generate the health-timing override (`stack.up`)."
    )
    timeout: int = _setting(0, "Seconds stack.up waits; 0: what the health checks declare.")
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    env: EnvSettings = field(default_factory=EnvSettings)
    db: DbSettings = field(default_factory=DbSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    embedded: EmbeddedSettings = field(default_factory=EmbeddedSettings)
    parity: ParitySettings = field(default_factory=ParitySettings)
    image: ImageSettings = field(default_factory=ImageSettings)
    modes: Mapping[str, ModeSettings] = _setting({}, "Modes by name.")


@dataclass(frozen=True, slots=True)
class Source:
    """A mapping of settings and the place it came from (a file, `INVSTACK_DB_SERVICE`, …)."""

    name: str
    values: Mapping[str, Any]


def load(sources: Sequence[Source]) -> Settings:
    """Merge the sources, lowest rank first, into validated settings.

    Raises:
        UsageError: an unknown key or a value of the wrong type, with its source.
    """
    merged: dict[str, Any] = {}
    for source in sources:
        casting.build(Settings, source.values, source.name, "stack")
        merged = _merged(merged, source.values)
    return typing.cast("Settings", casting.build(Settings, merged, "settings", "stack"))


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        if value is None and key in result:
            continue  # `db:` with every line below it commented out says nothing
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def from_environ(environ: Mapping[str, str]) -> Iterator[Source]:
    """Yield a source for each `INVSTACK_*` variable, cast to the setting's own type.

    `INVSTACK_DB_SERVICE=pg` sets `stack.db.service`. A list is comma-separated. Invoke's own
    `INVOKE_*` reader is not used: it reads `false` as true and refuses lists.

    Raises:
        UsageError: no such setting, or a text that its type does not accept.
    """
    paths = {"_".join(path).upper(): (path, hint) for path, hint in _leaves(Settings, ())}
    for name in sorted(environ):
        if not name.startswith(PREFIX):
            continue
        found = paths.get(name.removeprefix(PREFIX))
        if found is None:
            raise casting.unknown(
                name, "environment", sorted(PREFIX + known for known in paths), head=PREFIX
            )
        path, hint = found
        value: Any = casting.from_text(hint, environ[name], name)
        for part in reversed(path):
            value = {part: value}
        yield Source(name, value)


def _leaves(kind: type[Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, hint in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from _leaves(typing.cast("type[Any]", hint), (*path, name))
        elif not isinstance(hint, types.GenericAlias) and typing.get_origin(hint) is not None:
            continue  # a mapping of modes has no single variable
        elif any(dataclasses.is_dataclass(each) for each in typing.get_args(hint)):
            continue  # nor has a list of mappings
        else:
            yield (*path, name), hint

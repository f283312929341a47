"""The manifest beside a backup: what it is, what it was made from, and its checksum.

It is written last. A backup without one was not finished, or is somebody else's file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.errors import StackError

SCHEMA = 1
NEWER = "was written by a newer version of invoke_stack"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup's manifest; the attributes are its JSON keys.

    Attributes:
        tool: version of this library.
        kind: why it was made; retention treats kinds differently.
        pinned: never deleted by retention.
        seconds: how long the dump took, checks left out.
        archive: version of the archive's format.
        compression: what was asked for and given, such as "zstd:1".
        server: version of the server.
        client: version of the program that wrote it.
        source: the server's facts about the database: size, encoding, owner, extensions, …
        contents: number of tables, sequences, indexes, … in the archive.
        migration: the last Prisma migration, or "".
        git: commit and whether files were changed; empty outside a repository.
        globals: file, bytes and checksum of roles and tablespaces saved with it; or empty.
        target: Compose project, service and the server's identifier. Never a password.
        verified: level reached, time, seconds it took, whether it held.
    """

    file: str
    created_at: str
    database: str
    bytes: int
    sha256: str
    provider: str = "postgres"
    format: str = "custom"
    tool: str = ""
    kind: str = "manual"
    label: str = ""
    pinned: bool = False
    seconds: float = 0.0
    archive: str = ""
    compression: str = ""
    server: str = ""
    client: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, int] = field(default_factory=dict)
    migration: str = ""
    git: Mapping[str, Any] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, str] = field(default_factory=dict)
    verified: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        whole = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return {"schema": whole.pop("schema"), **whole}

    @property
    def archive_form(self) -> bool:
        """Whether it is an archive, not an export for people."""
        return self.format == "custom"

    @property
    def created(self) -> datetime:
        """When the backup was begun."""
        return datetime.fromisoformat(self.created_at).astimezone(UTC)


def parse(document: Any) -> Manifest:
    """Return the manifest in a JSON document; keys of newer versions are left out.

    Raises:
        ValueError: it is no manifest, or of a schema that this version cannot read.
    """
    if not isinstance(document, Mapping) or "sha256" not in document:
        raise ValueError("is not a backup manifest")
    if isinstance(document.get("schema"), int) and document["schema"] > SCHEMA:
        raise ValueError(NEWER)
    values = {}
    for item in dataclasses.fields(Manifest):
        value = document.get(item.name, dataclasses.MISSING)
        if value is dataclasses.MISSING:
            continue
        if type(value) is not _KINDS[str(item.type)] and not (item.name == "seconds"):
            raise ValueError(f"is damaged: {item.name}")
        values[item.name] = value
    try:
        found = Manifest(**values)
        _ = found.created
    except (TypeError, ValueError) as problem:
        raise ValueError("is damaged: a key is missing or no time") from problem
    return found


_KINDS: Mapping[str, type] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": float,
    "Mapping[str, Any]": dict,
    "Mapping[str, int]": dict,
    "Mapping[str, str]": dict,
}


def read(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ValueError: it cannot be read as one.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ValueError("cannot be read") from problem
    return parse(document)


def write(path: Path, manifest: Manifest) -> None:
    """Put the manifest beside its backup, whole or not at all.

    Raises:
        StackError: something of that name is there already.
    """
    if path.is_symlink() or path.exists():
        raise StackError(str(path), "is in the way of a new manifest")
    files.write(path, _text(manifest))


def change(path: Path, **changes: Any) -> Manifest:
    """Replace values in a manifest that is there, whole or not at all; return the new one.

    It is read again first: somebody may have pinned the backup while it was being checked.

    Raises:
        StackError: it cannot be written.
        ValueError: it cannot be read as one.
    """
    changed = dataclasses.replace(read(path), **changes)
    files.write(path, _text(changed))
    return changed


def _text(manifest: Manifest) -> str:
    return json.dumps(manifest.mapping(), indent=2, ensure_ascii=False) + "\n"

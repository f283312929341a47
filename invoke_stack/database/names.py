"""What backups and their parts are called. Pure: no file is touched here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from invoke_stack.errors import UsageError

SUFFIXES = (".dump", ".sql", ".sql.gz")
"""How backups end: archives first, then scripts."""

ARCHIVE = SUFFIXES[0]
GLOBALS = ".globals.sql"
PARTIAL = ".partial"
LONGEST_LABEL = 32

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"-(?P<stamp>\d{8}T\d{6}Z)-[a-z]+\d+(?:-[a-z0-9-]+)?\.(?:dump|sql|sql\.gz)$")
_LABEL = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{LONGEST_LABEL - 2}}}[a-z0-9])?")


def folder_name(database: str) -> str:
    """Return a database's name as one path segment: percent-encoded, never hidden, never `..`."""
    encoded = quote(database, safe="")
    return f"%2E{encoded[1:]}" if encoded.startswith(".") else encoded


def file_name(database: str, when: datetime, major: int, label: str = "", again: int = 1) -> str:
    """Return a backup's file name; names sort by time.

    Args:
        database: the database's own name.
        when: the start of the backup.
        major: the server's major version.
        label: the user's word, or "".
        again: 2 and up where earlier ones are taken.
    """
    stamp = when.astimezone(UTC).strftime(_STAMP)
    parts = [folder_name(database), stamp, f"pg{major}", label, str(again) if again > 1 else ""]
    return "-".join(part for part in parts if part) + ARCHIVE


def with_suffix(name: str, suffix: str) -> str:
    """Return a backup's name with another one of ``SUFFIXES``."""
    return name.removesuffix(ARCHIVE) + suffix


def stamp_of(name: str) -> datetime | None:
    """Return the time in a backup's file name; None where a file is called otherwise."""
    found = _NAME.search(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=UTC)
    except ValueError:  # a 13th month
        return None


def belongs(name: str, database: str) -> bool:
    """Return whether a file is called like a backup of the database: `app` is not `app-test`."""
    rest = name.removeprefix(folder_name(database))
    return rest != name and _NAME.match(rest) is not None


def checked_label(label: str, flag: str = "label") -> str:
    """Return the label, or say what it may consist of.

    Args:
        label: the user's word, or "".
        flag: what the user knows it by, without dashes.

    Raises:
        UsageError: it holds anything but lower-case letters, digits and inner dashes.
    """
    if not label or _LABEL.fullmatch(label):
        return label
    near = re.sub(r"[^a-z0-9]+", "-", label.casefold()).strip("-")[:LONGEST_LABEL].strip("-")
    hint = f"for example: {near}" if near else "for example: before-upgrade"
    text = f"a {flag} has up to {LONGEST_LABEL} of a-z, 0-9 and inner dashes; this is {label!r}"
    raise UsageError(f"--{flag}", text, hint=hint)


def manifest_of(file: Path) -> Path:
    """Return where a backup's manifest lies."""
    return file.with_name(f"{file.name}.json")


def globals_of(file: Path) -> Path:
    """Return where the roles and tablespaces that were saved with a backup lie."""
    suffix = next((each for each in reversed(SUFFIXES) if file.name.endswith(each)), "")
    return file.with_name(file.name.removesuffix(suffix) + GLOBALS)


def partial_of(file: Path) -> Path:
    """Return the hidden name of a backup that is being written."""
    return file.with_name(f".{file.name}{PARTIAL}")

"""Migration files: which there are, in which order, and what they ask for."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from invoke_stack.errors import UsageError

FOLDERS = ("migrations", "db/migrations", "database/migrations", "sql/migrations")
SEEDS = ("seed.sql", "seeds/seed.sql")
WIDTH = 4

_NAME = re.compile(r"(?P<number>\d+)[_-](?P<words>[\w.-]+)\.sql", re.IGNORECASE)
_TWO_WAY = re.compile(r"\.(?:up|down|undo)\.sql$", re.IGNORECASE)
_ALONE = re.compile(r"--\s*no[ -]transaction\b", re.IGNORECASE)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# Applied from top to bottom, such a file would undo itself at once.
_OTHERS = {
    "dbmate": re.compile(r"^--\s*migrate:(?:up|down)", re.MULTILINE),
    "goose": re.compile(r"^--\s*\+goose", re.MULTILINE),
    "sql-migrate": re.compile(r"^--\s*\+migrate", re.MULTILINE),
}
_BEGIN = re.compile(
    r"^\s*(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)\s*;",
    re.IGNORECASE | re.MULTILINE,
)
_CONNECT = re.compile(r"^\s*\\c(?:onnect)?(?:\s|$)", re.MULTILINE)
_STAMP = 14


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Attributes:
        name: the file's name without `.sql`, as the journal has it.
        shown: its path from the project root.
        checksum: of the text, whatever the line ends are.
        alone: it says `-- no transaction` in its first comment.
    """

    name: str
    number: int
    shown: str
    text: str = field(repr=False)
    checksum: str
    alone: bool


def folder(root: Path, named: str = "") -> Path | None:
    """Return the folder with the migrations: the named one, or the first usual one with any."""
    for each in (named,) if named else FOLDERS:
        path = root / each
        if path.is_dir() and any(_is_migration(entry) for entry in path.iterdir()):
            return path
    return None


def read(where: Path, root: Path) -> tuple[Migration, ...]:
    """Return the migrations in their order.

    Raises:
        UsageError: two have the same number, or one is written for another tool.
    """
    found = [_read(path, root) for path in sorted(where.iterdir()) if _is_migration(path)]
    found.sort(key=lambda each: (each.number, each.name))
    for first, second in itertools.pairwise(found):
        if first.number == second.number:
            text = f"has the same number as {second.name}, so their order is unclear"
            raise UsageError(first.shown, text, hint="give the later one the next number")
    return tuple(found)


def seed(where: Path, root: Path) -> Path | None:
    """Return the file with the first rows: beside the folder, in it, or in the root."""
    places = [base / name for base in (where.parent, where, root) for name in SEEDS]
    return next((path for path in places if path.is_file()), None)


def load(path: Path, root: Path) -> str:
    """Return a file's text.

    Raises:
        UsageError: it is no UTF-8, or cannot be read, or leaves the database that is meant.
    """
    shown = path.relative_to(root).as_posix()
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        message = f"is not UTF-8 (byte {problem.start})"
        raise UsageError(shown, message, hint="save it as UTF-8") from None
    # Also out of our transaction, and out of the new database that db.reset fills.
    if _CONNECT.search(_COMMENTS.sub("", text)):
        hint = "take \\connect out: the database is the one of the URL, see inv db.url"
        raise UsageError(shown, "connects to a database itself", hint=hint)
    return text


def alone(text: str) -> bool:
    """Return whether a file is to run outside a transaction: its first lines say so."""
    head = re.match(r"(?:\s*--[^\n]*\n?)*", text)
    return head is not None and bool(_ALONE.search(head[0]))


def next_name(known: tuple[Migration, ...], words: str, now: datetime) -> str:
    """Return the file name of a new migration, numbered as the others are."""
    slug = re.sub(r"[^a-z0-9]+", "_", words.casefold()).strip("_")
    if not slug:
        raise UsageError("--name", "has no letter or digit", hint="for example: --name add_posts")
    digits = known[-1].name[: len(re.match(r"\d*", known[-1].name)[0])] if known else ""  # type: ignore[index]
    if len(digits) == _STAMP:
        return f"{now:%Y%m%d%H%M%S}_{slug}.sql"
    number = known[-1].number + 1 if known else 1
    return f"{number:0{len(digits) or WIDTH}d}_{slug}.sql"


def _is_migration(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and not _TWO_WAY.search(path.name) and path.is_file()


def _read(path: Path, root: Path) -> Migration:
    shown = path.relative_to(root).as_posix()
    text = load(path, root)
    for tool, mark in _OTHERS.items():
        if mark.search(text):
            message = f"is written for {tool}, with a way back in the same file"
            raise UsageError(shown, message, hint="plug that tool in: setting stack.db.tool")
    outside = alone(text)
    if not outside and _BEGIN.search(_COMMENTS.sub("", text)):
        hint = "take BEGIN and COMMIT out, or begin the file with: -- no transaction"
        raise UsageError(shown, "opens a transaction of its own inside ours", hint=hint)
    found = _NAME.fullmatch(path.name)
    number = int(found["number"]) if found else 0
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(path.name[: -len(".sql")], number, shown, text, checksum, outside)


def empty(migration: Migration) -> bool:
    """Return whether there is nothing in it but comments."""
    return not _COMMENTS.sub("", migration.text).strip(" \n\t;")

"""What is to be restored: an archive or a plain dump, proved to be what its manifest says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from invoke_stack import sizes
from invoke_stack.database import catalog, verify
from invoke_stack.database.catalog import Entry
from invoke_stack.database.provider import HEAD_BYTES
from invoke_stack.database.restoring import unpacked
from invoke_stack.database.target import Target
from invoke_stack.database.values import Header
from invoke_stack.errors import RefusedError, UsageError
from invoke_stack.events import Report, Step, Warned
from invoke_stack.project import Project

PLAIN = (".sql", ".sql.gz", ".sql.zst")
_SIGNS = (b"-- PostgreSQL database", b"SET statement_timeout", b"CREATE TABLE")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may be restored.

    Attributes:
        header: of an archive; None for a plain dump.
    """

    entry: Entry
    kind: Literal["archive", "plain"]
    header: Header | None

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.entry.file

    def text(self, project: Project) -> str:
        """Return it as questions and plans show it."""
        when = f"{self.entry.created:%Y-%m-%d %H:%M} UTC"
        manifest = self.entry.manifest
        of = f"database {manifest.database}, " if manifest else ""
        return f"{project.shown(self.file)} ({of}{when}, {sizes.shown(self.entry.bytes)})"


def require(project: Project, word: str, folder: str) -> None:
    """Refuse a name that no file has, whichever database is meant: that needs no server.

    Raises:
        UsageError: there is no such file or folder.
    """
    if word in catalog.NEWEST or _path(project, word, folder) is not None:
        return
    known = catalog.entries(catalog.source(project, folder))
    # Of several that it fits one alone may be the database's.
    if sum(each.file.name.startswith(word) for each in known) < 2:  # noqa: PLR2004
        catalog.resolve(project, word, known)


def find(project: Project, word: str, folder: str, database: str) -> Entry:
    """Return the file that the user names: a path, or a word for a backup of this database.

    Raises:
        UsageError: there is none.
    """
    path = _path(project, word, folder)
    if path is not None:
        return catalog.resolve(project, str(path), ())
    known = catalog.of(database, catalog.entries(catalog.source(project, folder)))
    return catalog.resolve(project, word, known)


def _path(project: Project, word: str, folder: str) -> Path | None:
    """Return the file that a path leads to; None where the word is none, or leads nowhere."""
    path = (project.root / folder / word).absolute()
    written = "/" in word or "\\" in word or word.endswith(PLAIN)
    return path if written and path.is_file() else None


def opened(project: Project, target: Target, entry: Entry, report: Report) -> Source:
    """Return the file once it is proved; nothing of the database is touched before.

    Raises:
        RefusedError: it is not what its manifest says.
        UsageError: it is gone, empty, or no dump at all.
    """
    where = project.shown(entry.file)
    report(Step(f"checking {entry.file.name}"))
    if entry.bytes < 0:
        raise UsageError(where, catalog.GONE, hint="choose another one: inv db.backups")
    if entry.bytes == 0:
        raise UsageError(
            where, "the file is empty (0 bytes)", hint="choose another: inv db.backups"
        )
    _require_sum(where, entry, report)
    with entry.file.open("rb") as stream:
        first = stream.read(HEAD_BYTES)
    header = target.provider.header(first)
    if header is not None:
        return Source(entry, "archive", header)
    _require_text(project, target, where, entry)
    return Source(entry, "plain", None)


def _require_sum(where: str, entry: Entry, report: Report) -> None:
    manifest = entry.manifest
    if manifest is None:
        text = f"{where}: {entry.problem or catalog.UNVERIFIED}"
        report(Warned(text, "nothing tells whether it is what it was when it was written"))
        return
    hint = "it was damaged or exchanged: choose another one with inv db.backups"
    if manifest.bytes != entry.bytes:
        raise RefusedError(where, entry.problem or "has another size", hint=hint)
    actual = verify.sha256(entry.file)
    if actual != manifest.sha256:
        text = f"sha256 is {actual[:12]}…, its manifest says {manifest.sha256[:12]}…"
        raise RefusedError(where, f"the content has changed: {text}", hint=hint)


def _require_text(project: Project, target: Target, where: str, entry: Entry) -> None:
    found = unpacked.head(project, target, entry.file)
    if found.startswith(unpacked.UTF16):
        text = "the file is UTF-16: PowerShell's `>` writes that, psql does not read it"
        hint = f"in PowerShell: Get-Content {where} | Set-Content -Encoding utf8 new.sql"
        raise UsageError(where, text, hint=hint)
    named = entry.file.name.endswith(PLAIN) and b"\0" not in found and found
    if not (named or any(sign in found for sign in _SIGNS)):
        kind = "text" if found.isascii() and found else "other data"
        text = f"is neither an archive nor a plain dump: it begins with {kind}"
        raise UsageError(where, text, hint="choose another one: inv db.backups")

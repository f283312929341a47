"""What one run of `db.restore` was asked for, works on, and has done."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_stack.database.admin import Admin
from invoke_stack.database.restoring import load
from invoke_stack.database.restoring.source import Source
from invoke_stack.database.state import Machine, Server
from invoke_stack.errors import UsageError
from invoke_stack.events import Report


def undo(key: str = "", to_db: str = "") -> str:
    """Return the command that brings a replaced database back.

    Args:
        key: the variable whose URL leads to it, "" for the stack's own.
        to_db: another database of that server.
    """
    words = ["inv", "db.restore", "--undo"]
    words += ["--target", key] if key else []
    return shlex.join([*words, *(["--to-db", to_db] if to_db else [])])


@dataclass(frozen=True, slots=True)
class Options:
    """What the flags of `db.restore` say.

    Attributes:
        file: as `catalog.resolve` takes it.
        folder: another folder of backups than the setting's.
        to_db: another database on the same server; it is made if it is not there.
        owner: objects get their owners back.
        create_roles: make the roles that are missing, without login.
        in_place: go over what is there; only for users who may not create databases.
        safety_dump: write a backup of the live database first.
        force: try a dump of a newer server.
        target: the variable whose URL leads to the database; "" for the stack's own.
    """

    file: str = "latest"
    folder: str = ""
    to_db: str = ""
    owner: bool = True
    create_roles: bool = False
    in_place: bool = False
    safety_dump: bool = False
    force: bool = False
    target: str = ""

    def check(self) -> None:
        """Refuse what no run can do.

        Raises:
            UsageError: flags that exclude each other.
        """
        if self.target and self.to_db and (self.safety_dump or self.in_place):
            text = "cannot be had with both --target and --to-db"
            hint = "back that database up by its own variable: inv db.backup --target KEY"
            raise UsageError("--in-place" if self.in_place else "--safety-dump", text, hint=hint)


@dataclass(frozen=True, slots=True)
class Restored:
    """A database with new content.

    Attributes:
        snapshot: the one that it came from, if it was no file.
        kept: the database that was live, under its new name, or "".
        bytes: its size.
        downtime: how long nobody could connect, in seconds.
        seconds: everything, checks included.
        undo: the command that brings it back, where one is kept.
    """

    database: str
    file: Path | None
    kept: str = ""
    bytes: int = 0
    downtime: float = 0.0
    seconds: float = 0.0
    snapshot: str = ""
    undo: str = ""

    def mapping(self) -> dict[str, Any]:
        """Return the document of `db.restore --json`."""
        file = str(self.file) if self.file else None
        return {**dataclasses.asdict(self), "file": file}


@dataclass(frozen=True, slots=True)
class Job:
    """One restore: the file, the server and what both said."""

    admin: Admin
    source: Source
    server: Server
    machine: Machine
    options: Options
    report: Report

    @property
    def database(self) -> str:
        """The database that gets the content."""
        return self.admin.target.database

    @property
    def jobs(self) -> int:
        """How many processes load it."""
        return max(1, min(load.JOBS, self.machine.cpus))

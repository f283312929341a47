"""What one run of `db.backup` was asked for and works on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from invoke_stack.database import asking, catalog, forms, names, write
from invoke_stack.database.catalog import Entry
from invoke_stack.database.forms import Form
from invoke_stack.database.target import Target
from invoke_stack.database.values import Facts
from invoke_stack.engines.engine import Engine
from invoke_stack.events import Report
from invoke_stack.project import Project

LONGEST_WAIT_S = 6 * 3600.0
"""How long `--wait` waits for another run, in seconds: nobody's backup takes longer."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the flags of `db.backup` say.

    Attributes:
        label: a word in the file's name.
        to: another folder than the setting's; the file goes right into it.
        fast: skip the full decode; the checksum is taken all the same.
        format: "custom", or "plain" and "plain.gz" for a script.
        globals: write roles and tablespaces beside it, without passwords.
        pin: retention never deletes it.
        wait: for another run that is busy with the database, in place of an error.
        kind: "manual", or "safety" before something is removed.
        target: the variable whose URL leads to the database; "" for the stack's own.
    """

    label: str = ""
    to: str = ""
    fast: bool = False
    format: str = forms.CUSTOM.name
    globals: bool = False
    pin: bool = False
    wait: bool = False
    kind: str = "manual"
    target: str = ""

    @property
    def form(self) -> Form:
        """The form that the backup gets."""
        return forms.named(self.format)

    def check(self) -> None:
        """Refuse what no run can do.

        Raises:
            UsageError: a bad label or an unknown format.
        """
        names.checked_label(self.label)
        forms.named(self.format)


@dataclass(frozen=True, slots=True)
class Job:
    """One backup: the target, what its server says, and where the file goes.

    Attributes:
        answer: waits for what the server says about the database.
        session: the dump's name in the server's list of sessions.
        assumed: the server's major version before it has said it; 0 to wait for that.
    """

    project: Project
    docker: Engine | None
    target: Target
    answer: Callable[[], str]
    options: Options
    report: Report
    session: str = ""
    assumed: int = 0

    def expecting(self, known: Sequence[Entry]) -> Self:
        """Return the job with the version that the last manifest tells of the stack's server."""
        if not asking.at_once(self.target):
            return self
        last = next((each.manifest.server for each in known if each.manifest), "")
        major = re.match(r"[1-9]\d?(?!\d)", last)  # a manifest may be anybody's
        return replace(self, assumed=int(major[0]) if major else 0)

    @property
    def facts(self) -> Facts:
        """What the server says about the database."""
        return self.target.provider.read_facts(self.answer())

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.assumed or self.facts.major

    @property
    def root(self) -> Path:
        """The folder of all backups."""
        return catalog.root(self.project, self.options.to)

    @property
    def folder(self) -> Path:
        """Where the file goes: a folder for each database, unless the user named one."""
        return self.root if self.options.to else self.root / names.folder_name(self.target.database)

    def file(self, when: datetime) -> Path:
        """Return the first name for that time that nothing has."""

        def name(again: int) -> Path:
            major, label = self.major, self.options.label
            archive = names.file_name(self.target.database, when, major, label, again)
            return self.folder / names.with_suffix(archive, self.options.form.suffix)

        return write.free_name(name)

    def compressions(self) -> tuple[str, ...]:
        """Return the compressions to try in turn."""
        wanted = self.project.settings.db.compression
        return self.target.provider.compressions(wanted, self.major)

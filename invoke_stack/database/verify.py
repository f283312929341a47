"""Is a backup what it was? Size and magic, checksum, and a full decode inside the container."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from invoke_stack.database import catalog, leftovers
from invoke_stack.database import provider as providers
from invoke_stack.database.catalog import Entry
from invoke_stack.database.provider import HEAD_BYTES, Provider
from invoke_stack.database.target import Target, find
from invoke_stack.engines import docker as engine
from invoke_stack.environment import declared as stack
from invoke_stack.errors import StackError
from invoke_stack.events import Report, Step, silent
from invoke_stack.project import Project

CHUNK = 1024 * 1024
State = Literal["ok", "failed", "unchecked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One level: L0 size and first bytes, L1 checksum, L2 full decode."""

    level: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked on one backup."""

    file: Path
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what was not checked is told by the checks."""
        return all(check.state != "failed" for check in self.checks)

    @property
    def level(self) -> str:
        """The highest level that holds together with all below it, or ""."""
        reached = ""
        for check in self.checks:
            if check.state != "ok":
                break
            reached = check.level
        return reached

    @property
    def problem(self) -> str:
        """What failed first, or ""."""
        return next((check.text for check in self.checks if check.state == "failed"), "")

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        checks = [{"level": c.level, "state": c.state, "text": c.text} for c in self.checks]
        return {"file": str(self.file), "ok": self.ok, "level": self.level, "checks": checks}


def verify(project: Project, entry: Entry, report: Report = silent) -> Verification:
    """Check a backup on all levels that can be checked here and now.

    The decode needs the stack's database container; without it that level says why it is
    unchecked. A failed check is no error: the caller ends with exit code 3.
    """
    report(Step(f"checking {entry.file.name}"))
    checks = file_checks(project, entry)
    if not all(check.state == "ok" for check in checks):
        skipped = Check("L2", "unchecked", "not decoded: the levels below come first")
        return Verification(entry.file, (*checks, skipped))
    try:
        with engine.connect(project) as docker:
            target = find(project, stack.load(project), docker)
    except StackError as problem:
        reason = Check("L2", "unchecked", f"not decoded: {problem}")
        return Verification(entry.file, (*checks, reason))
    leftovers.sweep(project, target, report)
    return Verification(entry.file, (*checks, decoded(project, target, entry.file)))


def file_checks(project: Project, entry: Entry) -> tuple[Check, Check]:
    """Check what needs nothing but the file and its manifest."""
    ground = _ground(project, entry)
    if ground.state == "failed":
        return ground, Check("L1", "unchecked", "no checksum taken of it")
    if entry.manifest is None:
        return ground, Check("L1", "failed", f"{entry.problem}; nothing tells its checksum")
    actual = sha256(entry.file)
    if actual != entry.manifest.sha256:
        text = f"sha256 is {actual[:12]}…, its manifest says {entry.manifest.sha256[:12]}…"
        return ground, Check("L1", "failed", f"the content has changed: {text}")
    return ground, Check("L1", "ok", f"sha256 {actual[:12]}…")


def decoded(project: Project, target: Target, file: Path) -> Check:
    """Have the database's own program read the whole backup, inside the container."""
    command = target.inside(target.provider.decode(), fed=True, read=True)
    with project.runner.start(command, stdin=file) as running:
        code = running.wait()
    if code == 0 and not any("error:" in line for line in running.tail):
        return Check("L2", "ok", f"decoded by {command_name(target)}")
    words = project.secrets.hide((running.tail or (f"exit code {code}",))[-1])
    return Check("L2", "failed", f"does not decode: {words}")


def command_name(target: Target) -> str:
    """Return the program that decodes, as messages show it."""
    owner = f"service {target.service}" if target.service else "this machine"
    return f"{target.provider.decode()[0]} of {owner}"


def sha256(file: Path) -> str:
    """Return a file's checksum, read in pieces."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(CHUNK):
            digest.update(part)
    return digest.hexdigest()


def _ground(project: Project, entry: Entry) -> Check:
    if entry.bytes < 0:
        return Check("L0", "failed", catalog.GONE)
    if entry.bytes == 0:
        return Check("L0", "failed", "the file is empty (0 bytes)")
    with entry.file.open("rb") as stream:
        first = stream.read(HEAD_BYTES)
    header = _provider(project, entry).header(first)
    if header is None:
        kind = "text" if first.isascii() else "other data"
        return Check("L0", "failed", f"not a database archive: it begins with {kind}")
    if entry.manifest is not None and entry.manifest.bytes != entry.bytes:
        return Check("L0", "failed", entry.problem)
    return Check("L0", "ok", f"archive {header.archive}, {entry.bytes:,} bytes")


def _provider(project: Project, entry: Entry) -> Provider:
    known = (*providers.loaded(project.settings.db.providers), *providers.built_in())
    name = entry.manifest.provider if entry.manifest else known[-1].name
    return next((each for each in known if each.name == name), known[-1])

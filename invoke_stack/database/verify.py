"""`db.verify`: is a backup what it was? Size and magic, checksum, decode, restore."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke_stack.database import catalog, leftovers, names, proof, record, shared
from invoke_stack.database import manifest as manifests
from invoke_stack.database import provider as providers
from invoke_stack.database.catalog import Entry
from invoke_stack.database.checks import Check, Verification
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.provider import HEAD_BYTES, Provider
from invoke_stack.database.target import Target, find
from invoke_stack.engines import opening
from invoke_stack.environment import declared as stack
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Report, Step, silent
from invoke_stack.project import Project

CHUNK = 1024 * 1024
NEWER = "unsupported version"
"""How a program says that a newer one has written the archive."""


def verify(
    project: Project, entry: Entry, report: Report = silent, *, restore: bool = False
) -> Verification:
    """Check a backup on all levels that can be checked here and now; its manifest gets the result.

    The decode needs the stack's database container; without it that level says why it is
    unchecked. A failed check is no error: the caller ends with exit code 3.

    Args:
        project: the project.
        entry: the backup.
        report: gets the steps.
        restore: also prove it in a temporary database.

    Raises:
        StackError: with ``restore``: there is no server to restore into.
    """
    began = time.monotonic()
    report(Step(f"checking {entry.file.name}"))
    checks = [*file_checks(project, entry)]
    if all(check.state == "ok" for check in checks):
        checks += _by_server(project, entry, report, restore=restore)
    else:
        checks.append(Check("L2", "unchecked", "not decoded: the levels below come first"))
    seconds = round(time.monotonic() - began, 2)
    result = Verification(entry.file, tuple(checks), seconds)
    _remember(project, entry, result, report)
    return result


def _by_server(project: Project, entry: Entry, report: Report, *, restore: bool) -> Iterator[Check]:
    """Yield the checks that the database's own programs make."""
    if entry.manifest is None or not entry.manifest.archive_form:
        yield Check("L2", "unchecked", "not decoded: an export for people, no archive")
        return
    try:
        with reached(project, report) as target:
            leftovers.sweep(project, target, report)
            check = decoded(project, target, entry.file)
            yield check
            if restore and check.state == "ok":
                yield proof.proved(project, target, entry.file, entry.manifest, report)
    except StackError as problem:
        if restore:
            raise
        yield Check("L2", "unchecked", f"not decoded: {problem}")


@contextmanager
def reached(project: Project, report: Report = silent) -> Iterator[Target]:
    """Yield the stack's database, whose programs read backups.

    Raises:
        StackError: it does not run.
    """
    with opening.open(project, report) as engine:
        yield find(project, stack.load(project), engine)


def _remember(project: Project, entry: Entry, result: Verification, report: Report) -> None:
    """Put the result into the manifest; a level that was proved once is not taken back."""
    manifest = entry.manifest
    if manifest is None or entry.bytes < 0 or project.dry:
        return
    level = result.level
    if result.ok and level < str(manifest.verified.get("level", "")) and manifest.verified["ok"]:
        return
    found = record.verified(level, ok=result.ok, seconds=result.seconds)
    try:
        manifests.change(names.manifest_of(entry.file), verified=found)
    except (StackError, ValueError) as problem:
        report(Note(f"the result is not in the manifest: {problem}"))


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
    beside = shared.problem(entry.file, entry.manifest.globals)
    if beside:
        return ground, Check("L1", "failed", beside)
    return ground, Check("L1", "ok", f"sha256 {actual[:12]}…")


def decoded(project: Project, target: Target, file: Path) -> Check:
    """Have the database's own program read the whole backup, inside the container."""
    command = target.inside(target.provider.decode(), fed=True, read=True)
    with project.runner.start(command, stdin=file) as running:
        code = running.wait()
    if code == 0 and not any("error:" in line for line in running.tail):
        return Check("L2", "ok", f"decoded by {command_name(target)}")
    words = project.secrets.hide((running.tail or (f"exit code {code}",))[-1])
    if NEWER in words:
        return Check("L2", "unchecked", f"{command_name(target)} is older than the backup: {words}")
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
    manifest, size = entry.manifest, f"{entry.bytes:,} bytes"
    if manifest is None or manifest.archive_form:
        with entry.file.open("rb") as stream:
            first = stream.read(HEAD_BYTES)
        header = provider_of(project, manifest).header(first)
        if header is None:
            kind = "text" if first.isascii() else "other data"
            return Check("L0", "failed", f"not a database archive: it begins with {kind}")
        size = f"archive {header.archive}, {size}"
    if manifest is not None and manifest.bytes != entry.bytes:
        text = f"has {entry.bytes:,} bytes, its manifest says {manifest.bytes:,}"
        return Check("L0", "failed", text)
    return Check("L0", "ok", size)


def provider_of(project: Project, manifest: Manifest | None) -> Provider:
    """Return the provider that a manifest names, the built-in one without."""
    known = (*providers.loaded(project.settings.db.providers), *providers.built_in())
    name = manifest.provider if manifest else known[-1].name
    return next((each for each in known if each.name == name), known[-1])

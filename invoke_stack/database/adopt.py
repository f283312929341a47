"""`db.verify --adopt`: a dump without a manifest gets one, once it has been read to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

from invoke_stack.database import catalog, names, record, verify
from invoke_stack.database import manifest as manifests
from invoke_stack.database.catalog import Entry
from invoke_stack.database.checks import Check
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.provider import HEAD_BYTES, TAIL_BYTES
from invoke_stack.database.target import Target
from invoke_stack.database.values import Contents
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Note, Report, Step, silent
from invoke_stack.project import Project


def adopt(project: Project, entry: Entry, report: Report = silent) -> Manifest:
    """Write the manifest of a dump that somebody else made, or that a killed run left.

    Where it came from stays unknown; the database and the versions are those that it tells.

    Raises:
        UsageError: it has a manifest, or it is no archive.
        StackError: it is not whole, or no server runs whose programs could read it.
    """
    shown = project.shown(entry.file)
    if entry.problem != catalog.UNVERIFIED or entry.bytes < 0:
        text = entry.problem or "has its manifest already"
        lost = entry.manifest is None and entry.bytes >= 0
        hint = catalog.way_out(project, entry) if lost else "check it with: inv db.verify"
        raise UsageError(shown, text, hint=hint)
    ground, _ = verify.file_checks(project, entry)
    if ground.state != "ok":
        raise UsageError(shown, ground.text, hint="only archives of pg_dump -Fc can be adopted")
    report(Step(f"reading {entry.file.name}"))
    with verify.reached(project, report) as target:
        check = verify.decoded(project, target, entry.file)
        contents = _listed(project, target, entry.file)
    _require_whole(shown, check, contents, target, _last(entry.file))
    manifest = _manifest(entry, target, contents)
    if not project.dry:
        manifests.write(names.manifest_of(entry.file), manifest)
        report(Note(f"{shown} has a manifest now"))
    return manifest


def _require_whole(
    shown: str, check: Check, contents: Contents | None, target: Target, last: bytes
) -> None:
    if check.state != "ok":
        raise StackError(shown, check.text, hint="it was not adopted; make another dump")
    if contents is None or not target.provider.whole(last, contents):
        text = "breaks off before its end"
        raise StackError(shown, text, hint="it was not adopted; make another dump")


def _listed(project: Project, target: Target, file: Path) -> Contents | None:
    command = target.inside(target.provider.listing(), fed=True, read=True)
    with project.runner.start(command, stdin=file) as running:
        code = running.wait()
        lines: Sequence[str] = tuple(running.fresh())
    return target.provider.read_listing(lines) if code == 0 else None


def _last(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(-min(TAIL_BYTES, file.stat().st_size), 2)
        return stream.read()


def _first(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _manifest(entry: Entry, target: Target, contents: Contents | None) -> Manifest:
    header = target.provider.header(_first(entry.file))
    when: datetime = names.stamp_of(entry.file.name) or entry.created
    return Manifest(
        file=entry.file.name,
        created_at=catalog.stamp(when),
        database=contents.database if contents and contents.database else target.database,
        bytes=entry.bytes,
        sha256=verify.sha256(entry.file),
        provider=target.provider.name,
        tool=metadata.version("invoke-stack"),
        kind="adopted",
        archive=header.archive if header else "",
        compression=header.compression if header else "",
        server=contents.server if contents else "",
        client=contents.client if contents else "",
        contents=contents.counts if contents else {},
        verified=record.verified("L2", ok=True, seconds=0.0),
    )

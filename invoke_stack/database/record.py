"""What a manifest records, gathered from the server, the archive and the repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from invoke_stack import redaction
from invoke_stack.database import catalog
from invoke_stack.database.dump import Dumped
from invoke_stack.database.job import Options
from invoke_stack.database.manifest import Manifest
from invoke_stack.database.target import Target
from invoke_stack.database.values import Facts
from invoke_stack.errors import StackError
from invoke_stack.process import Command
from invoke_stack.project import Project

GIT_S = 20


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is about to get its manifest."""

    file: str
    when: datetime
    options: Options
    dumped: Dumped
    globals: Mapping[str, Any]


def manifest(project: Project, target: Target, facts: Facts, made: Made) -> Manifest:
    """Return the manifest of a backup."""
    details = dict(facts.details)
    migration = str(details.pop("migration", None) or "")
    place = {"project": target.project, "service": target.service}
    if target.host:
        place = {"host": target.host, "key": target.key}
    if details.get("system_identifier"):
        place["system_identifier"] = str(details.pop("system_identifier"))
    details["settings"] = _without_secrets(project, details.get("settings"))
    return Manifest(
        file=made.file,
        created_at=catalog.stamp(made.when),
        database=target.database,
        bytes=made.dumped.written.size,
        sha256=made.dumped.written.sha256,
        provider=target.provider.name,
        tool=metadata.version("invoke-stack"),
        format=made.options.format,
        kind=made.options.kind,
        label=made.options.label,
        pinned=made.options.pin,
        seconds=made.dumped.seconds,
        archive=made.dumped.header.archive,
        compression=made.dumped.compression,
        server=facts.server,
        client=made.dumped.contents.client,
        source=details,
        contents=made.dumped.contents.counts,
        migration=migration,
        git=commit(project),
        globals=made.globals,
        target=place,
        verified=verified(made.dumped.level, ok=True, seconds=made.dumped.seconds),
    )


def verified(level: str, *, ok: bool, seconds: float) -> dict[str, Any]:
    """Return what a manifest says about a check that has just ended."""
    now = catalog.stamp(datetime.now(UTC))
    return {"level": level, "at": now, "seconds": round(seconds, 2), "ok": ok}


def git_command(project: Project) -> Command:
    """Return one call that tells commit and changes, and takes no lock in the repository."""
    words = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")
    env = {"GIT_OPTIONAL_LOCKS": "0"}
    return Command(("git", *words), env=env, cwd=project.root, effect="read")


def commit(project: Project) -> Mapping[str, Any]:
    """Return the commit that is checked out; nothing outside a repository or without git."""
    try:
        done = project.runner.capture(git_command(project), timeout_s=GIT_S)
    except StackError:
        return {}
    if done.code != 0:
        return {}
    lines = done.stdout.splitlines()
    sha = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
    return {"sha": sha, "dirty": any(not line.startswith("#") for line in lines)}


def _without_secrets(project: Project, settings: Any) -> list[dict[str, Any]]:
    """Return `ALTER DATABASE … SET` with secret values hidden: some keep a JWT key there."""
    return [
        {**entry, "set": [_masked(project, str(pair)) for pair in entry.get("set") or ()]}
        for entry in settings or ()
    ]


def _masked(project: Project, pair: str) -> str:
    name, _, value = pair.partition("=")
    if redaction.is_sensitive(name, value):
        return f"{name}={redaction.MASK}"
    return f"{name}={project.secrets.hide(value)}"

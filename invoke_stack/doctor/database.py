"""The stack's database: whether it answers, in which version, and what migrations ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from invoke_stack.database.sqlfiles import files as sqlfiles
from invoke_stack.doctor import embedded
from invoke_stack.doctor.line import Line, ok, told, unknown, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.doctor.server import Server, UnfitVolumeError
from invoke_stack.engines.embedded import declaring
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.prisma import package as prisma

_ASKED = re.compile(r'(?im)^\s*CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)"?')


def answers(patient: Patient) -> Iterator[Line]:
    """Tell whether the database answers, and whether its version is the one of the files."""
    try:
        server = patient.server()
    except UnfitVolumeError as problem:
        yield told("DOC-DATABASE", problem)
        return
    except UnreachableError as problem:
        yield unknown("DOC-DATABASE", problem.where, problem.message, problem.hint)
        return
    if server is None:
        return
    # Without Docker it goes on with the programs that there are, whatever the image says.
    yield judged(server, by_image=not patient.embedded)
    yield from client(server, patient.first_line("pg_dump", "--version"))


def judged(server: Server, *, by_image: bool = True) -> Line:
    """Return what there is to say about a server that answers.

    Args:
        server: the server.
        by_image: the image decides which version starts next time.
    """
    wanted, has = declaring.major(server.image), server.facts.major
    if by_image and server.kind == "postgres" and wanted and has and wanted != has:
        message = (
            f"PostgreSQL {server.facts.server} runs and made the volume, but the compose file says "
            f"{server.image}: the next inv stack.up cannot start on it"
        )
        fix = (
            f"inv db.upgrade moves the data to {wanted}; or set its image to PostgreSQL {has} again"
        )
        if wanted < has:
            fix = f"set its image to PostgreSQL {has} again: an older server cannot read the data"
        return wrong("DOC-DATABASE", server.service, message, fix)
    return ok("DOC-DATABASE", server.service, f"{server.kind} {server.facts.server} answers")


def client(server: Server, said: str) -> Iterator[Line]:
    """Tell when this machine's own programs are too old for a server of that version.

    The stack's own database is never asked with them, one behind a URL elsewhere is. `pg_dump`
    refuses a newer server: https://www.postgresql.org/docs/current/app-pgdump.html.
    """
    found = re.search(r"(\d+)", said)
    if found and server.kind == "postgres" and int(found[1]) < server.facts.major:
        message = (
            f"PostgreSQL {found[1]}, older than the stack's {server.facts.major}: databases "
            "elsewhere (--target) of that version cannot be dumped with it"
        )
        fix = f"install postgresql-client-{server.facts.major}"
        yield wrong("DOC-DATABASE", "pg_dump", message, fix, state="info")


def extensions(patient: Patient) -> Iterator[Line]:
    """Tell which extensions the migrations create that the server cannot install."""
    asked = asked_for(_migrations(patient))
    if not asked:
        return
    service, available = _available(patient)
    if not available:
        return
    missing = {name: path for name, path in asked.items() if name not in available}
    for name, path in missing.items():
        file = patient.project.shown(path)
        message = f"{file} creates it, and the server has no such extension"
        fix = "take an image that has it: postgis/postgis, pgvector/pgvector, timescale/timescaledb"
        if patient.embedded:
            fix = "install it for this machine's PostgreSQL, or run the stack on Docker"
        yield wrong("DOC-EXTENSIONS", name, message, fix, file=file)
    if not missing:
        yield ok("DOC-EXTENSIONS", service, f"has {', '.join(sorted(asked))}")


def _available(patient: Patient) -> tuple[str, frozenset[str]]:
    """Return the database's service and the extensions it could install; none where unknown."""
    try:
        server = patient.server()
    except UnreachableError:  # without Docker its programs tell, too
        if not patient.embedded:
            raise
        return embedded.extensions(patient)
    return (server.service, server.available) if server else ("", frozenset())


def asked_for(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the extensions that SQL files create, with the first file of each."""
    found: dict[str, Path] = {}
    for path in paths:
        for name in _ASKED.findall(path.read_text("utf-8", "replace")):
            found.setdefault(name, path)
    return found


def _migrations(patient: Patient) -> Iterator[Path]:
    project = patient.project
    try:
        package = prisma.find(project)
    except StackError:  # told where Prisma is looked at
        package = None
    folder = package.migrations if package else sqlfiles.folder(project.root)
    if folder is not None and folder.is_dir():
        yield from sorted(folder.rglob("*.sql"))

"""Without Docker: which services run here, with whose programs, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from invoke_stack.database import target as targets
from invoke_stack.doctor.line import Line, ok, told, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.engines.embedded import declaring, running
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError


def services(patient: Patient) -> Iterator[Line]:
    """Tell of each service of the mode what runs it on this machine."""
    try:
        declared = patient.stack()
    except StackError:  # told where the files are read
        return
    if declared is not None:
        yield from (_service(patient, declared, name) for name in sorted(declared.active()))


def extensions(patient: Patient) -> tuple[str, frozenset[str]]:
    """Return the database's service and what its programs bring along, whether it runs or not.

    Nothing where no PostgreSQL is found, or it does not say where its extensions lie.

    Raises:
        StackError: the files cannot be read, or declare several databases.
    """
    project, declared = patient.project, patient.stack()
    if declared is None:
        return "", frozenset()
    service = targets.service_of(project, declared)
    if declaring.kind_of(service) != "postgres":
        return service.name, frozenset()
    found, *_ = running.fitting(project, declaring.wanted(project, declared, service.name))
    share = patient.first_line(str(found.folder / "pg_config"), "--sharedir")
    folder = Path(share) / "extension"
    names = (path.stem for path in folder.glob("*.control")) if share else ()
    return service.name, frozenset(names)


def _service(patient: Patient, declared: Declared, name: str) -> Line:
    kind = declaring.kind_of(declared.model.services[name])
    if kind is None:
        message = "needs Docker and is not started; programs of this machine reach the rest"
        return Line("DOC-ENGINE", "info", name, message, "inv env.run -- COMMAND")
    try:
        wanted = declaring.wanted(patient.project, declared, name)
        found, why, fix = running.fitting(patient.project, wanted)
    except StackError as problem:
        return told("DOC-ENGINE", problem)
    if why:
        return wrong("DOC-ENGINE", name, why, fix, state="warning")
    return ok("DOC-ENGINE", name, f"{kind} {found.shown} in {found.folder}")

"""Without Docker: which services run here, with whose programs, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.doctor.line import Line, ok, told, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.engines.embedded import declaring, programs
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


def _service(patient: Patient, declared: Declared, name: str) -> Line:
    kind = declaring.kind_of(declared.model.services[name])
    if kind is None:
        message = "needs Docker and is not started; programs of this machine reach the rest"
        return Line("DOC-ENGINE", "info", name, message, "inv env.run -- COMMAND")
    try:
        wanted = declaring.wanted(patient.project, declared, name)
        found, why = programs.find(patient.project, kind, wanted.major)
    except StackError as problem:
        return told("DOC-ENGINE", problem)
    if why:
        fix = f"install version {wanted.major}, or name its folder in stack.embedded.{kind}"
        return wrong("DOC-ENGINE", name, why, fix, state="warning")
    return ok("DOC-ENGINE", name, f"{kind} {found.shown} in {found.folder}")

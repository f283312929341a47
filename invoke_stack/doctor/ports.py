"""The published ports of the mode: free, ours, or somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.doctor.line import Line, ok, told, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.stack import ports as published
from invoke_stack.stack.ports import Taken


def free(patient: Patient) -> Iterator[Line]:
    """Tell which ports somebody else holds, who, and which variable changes them."""
    declared = patient.stack()
    if declared is None:
        return
    asked = [each for body in declared.active().values() for each in body.ports]
    try:
        published.impossible(declared, asked)
    except UsageError as problem:
        yield told("DOC-PORTS", problem)
        return
    with patient.engine() as engine:
        # Without Docker the ports of the stack's own processes are those of its containers.
        holders = (
            engine.publishers() if isinstance(engine, Docker) else engine.containers(declared.name)
        )
        found = published.taken(
            patient.project, asked, [each for each in holders if each.running], name=declared.name,
            local=engine.endpoint.local,
        )  # fmt: skip
    yield from (_taken(declared, each) for each in found)
    held = {each.port for each in found}
    good = sorted({each.published for each in asked if each.published and each not in held})
    if good:
        yield ok("DOC-PORTS", "ports", f"free or ours: {', '.join(map(str, good))}")


def _taken(declared: Declared, taken: Taken) -> Line:
    number = taken.port.published
    fix = published.error(declared, (taken,)).hint
    return wrong("DOC-PORTS", taken.port.service, f"port {number} is held by {taken.holder}", fix)

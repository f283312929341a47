"""What describes production: whether `parity.check` can read it."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.doctor.line import Line, ok, told
from invoke_stack.doctor.patient import Patient
from invoke_stack.errors import StackError
from invoke_stack.parity.declaration import Options
from invoke_stack.parity.readers.render import RenderReader
from invoke_stack.parity.workspace import Workspace


def render(patient: Patient) -> Iterator[Line]:
    """Tell whether render.yaml can be read; a project need not have one."""
    workspace = Workspace(patient.project)
    reader = RenderReader()
    found = reader.detect(workspace)[:1]
    if not found:
        return
    environment = patient.project.settings.parity.production.environment
    try:
        declared = reader.read(workspace, found, Options("production", environment))
    except StackError as problem:
        yield told("DOC-PRODUCTION", problem)
        return
    for each in declared.problems:
        place = f"{each.src.file}:{each.src.line}" if each.src.line else each.src.file
        yield told(
            "DOC-PRODUCTION", StackError(place, each.message, hint=each.fix), state="warning"
        )
    count = len(declared.processes) + len(declared.datastores)
    yield ok(
        "DOC-PRODUCTION", found[0], f"{count} services and databases; inv parity.check compares"
    )

"""`stack.doctor`: every check beside the others, none of which can keep the rest from ending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from invoke_stack.doctor import (
    compose,
    database,
    engine,
    env,
    node,
    ports,
    prisma,
    production,
    python,
    wiring,
)
from invoke_stack.doctor.line import Line, report, unknown
from invoke_stack.doctor.patient import Patient
from invoke_stack.errors import StackError
from invoke_stack.findings.model import Report
from invoke_stack.project import Project

Check = Callable[[Patient], Iterable[Line]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("DOC-ENGINE", engine.answers),
    ("DOC-COMPOSE", compose.compose),
    ("DOC-BUILDX", compose.buildx),
    ("DOC-DISK", engine.room),
    ("DOC-CLOCK", engine.clock),
    ("DOC-TASKS", wiring.tasks),
    ("DOC-SETTINGS", wiring.settings),
    ("DOC-STACK", compose.stack),
    ("DOC-PORTS", ports.free),
    ("DOC-ENV", env.files),
    ("DOC-GIT", env.backups),
    ("DOC-PRODUCTION", production.render),
    ("DOC-DATABASE", database.answers),
    ("DOC-EXTENSIONS", database.extensions),
    ("DOC-NODE", node.node),
    ("DOC-MANAGER", node.manager),
    ("DOC-PRISMA", prisma.prisma),
    ("DOC-PYTHON", python.versions),
)
"""Every check, under the rule that its failure to run is told of."""

SHARED = 3
"""Questions that a `Patient` asks in threads of their own, while checks wait for the answers."""


def check(project: Project, checks: tuple[tuple[str, Check], ...] = CHECKS) -> Report:
    """Return how things stand with a project on this machine; nothing is changed.

    Args:
        project: the project, which may have no compose file.
        checks: what to look at.
    """
    with ThreadPoolExecutor(max_workers=len(checks) + SHARED) as pool:
        patient = Patient(project, pool)
        jobs = [pool.submit(_lines, rule, each, patient) for rule, each in checks]
        return report(line for job in jobs for line in job.result())


def _lines(rule: str, look: Check, patient: Patient) -> list[Line]:
    """Return what a check tells; what it cannot look at is told, too."""
    return list(_safe(rule, look, patient))


def _safe(rule: str, look: Check, patient: Patient) -> Iterator[Line]:
    try:
        yield from look(patient)
    except StackError as problem:
        yield unknown(rule, problem.where, f"not looked at: {problem.message}", problem.hint)
    except Exception as problem:  # noqa: BLE001 - one check that breaks must not hide the others
        message = f"not looked at: unexpected error ({type(problem).__name__})"
        yield unknown(rule, "stack.doctor", message, "please report it")

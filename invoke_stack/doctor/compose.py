"""Docker Compose, Buildx, and the files that they are given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from invoke_stack.compose import files, plugin
from invoke_stack.compose.elsewhere import NoStackError
from invoke_stack.doctor.line import Line, ok, told, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.project import Project
from invoke_stack.stack import advice, preflight
from invoke_stack.stack import ports as published

MOST = 5
"""Missing variables that are told one by one."""


def compose(patient: Patient) -> Iterator[Line]:
    """Tell which Compose there is; too old is as bad as none."""
    if not patient.has("docker") or patient.embedded:
        return  # told where the engine is
    try:
        found = preflight.compose_version(patient.project)
    except StackError as problem:
        yield told("DOC-COMPOSE", problem)
        return
    yield ok("DOC-COMPOSE", "docker compose", f"Compose {found} (needs {plugin.floor()})")


def buildx(patient: Patient) -> Iterator[Line]:
    """Tell whether images can be built as the stack's own ones need it."""
    if not patient.has("docker") or patient.embedded:
        return
    said = patient.first_line("docker", "buildx", "version")
    found = re.search(r"v?(\d+\.\d+\.\d+)", said)
    if found:
        yield ok("DOC-BUILDX", "docker buildx", f"Buildx {found[1]}")
        return
    fix = "install docker-buildx-plugin (Debian: docker-buildx)"
    message = "not installed: images are built by the old builder, or not at all"
    yield wrong("DOC-BUILDX", "docker buildx", message, fix, state="warning")


def stack(patient: Patient) -> Iterator[Line]:
    """Tell which compose files make the stack of the mode, and whether they can be read."""
    project = patient.project
    try:
        declared = patient.stack()
    except StackError as problem:
        yield told("DOC-STACK", problem)
        return
    if declared is None:
        try:
            files.find(project, project.mode(), project.environ)
        except NoStackError as problem:
            yield told("DOC-STACK", problem, state="warning")
        return
    names = ", ".join(project.shown(path) for path in declared.files.paths)
    services = ", ".join(sorted(declared.active())) or "none"
    yield ok("DOC-STACK", names, f"mode {declared.mode.name}, services: {services}")
    yield from _unset(project, declared)
    try:
        preflight.services(declared, ())
    except StackError as problem:
        yield told("DOC-STACK", problem)
    yield from _doubled(project, declared)


def _unset(project: Project, declared: Declared) -> Iterator[Line]:
    """Yield each variable that the files require and nobody sets, however often they use it."""
    lacking = sorted(declared.missing, key=lambda each: (each.file, each.line))
    for each in lacking[:MOST]:
        reason = f": {each.message}" if each.message else ""
        message = f"{each.name} is required and not set{reason}"
        fix = advice.unset(project, replace(declared, missing=(each,)))
        yield wrong("DOC-STACK", each.where, message, fix, file=each.file, line=each.line)
    if rest := lacking[MOST:]:
        first = rest[0]
        names = ", ".join(each.name for each in rest)
        message = f"and {len(rest)} more required variables are not set: {names}"
        fix = advice.unset(project, replace(declared, missing=tuple(rest)))
        yield wrong("DOC-STACK", first.where, message, fix, file=first.file, line=first.line)


def _doubled(project: Project, declared: Declared) -> Iterator[Line]:
    last = project.shown(declared.files.paths[-1])
    for service, target, numbers in published.doubled(declared):
        both = " and ".join(map(str, numbers))
        message = f"container port {target} is published on {both}: Compose adds lists up"
        fix = f'write in {last}: ports: !override ["{numbers[-1]}:{target}"]'
        yield wrong("DOC-STACK", service, message, fix, state="warning", file=last)

"""The engine: whether one answers, which, how new it is, how much room and what time it has."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from invoke_stack import sizes
from invoke_stack.doctor import embedded
from invoke_stack.doctor.line import Line, ok, told, unknown, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.engines import docker
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.errors import StackError
from invoke_stack.stack.preflight import DISK_FLOOR

TIGHT = 5 * DISK_FLOOR
"""Free bytes below which the next build may fill the disk."""

SKEW_S = 2.0
"""Seconds that clocks may differ: tokens and certificates allow for that much."""


def answers(patient: Patient) -> Iterator[Line]:
    """Tell which engine runs the stack, and whether Docker's probes early enough."""
    try:
        choice = patient.choice()
        with patient.engine() as engine:
            if isinstance(engine, Embedded):
                yield ok("DOC-ENGINE", "embedded", choice.why.removeprefix("engine: embedded, "))
            else:
                line = judged(engine.info(), engine.api_version, engine.endpoint.url)
                yield replace(line, message=f"{line.message}; {_chosen(patient)}")
    except StackError as problem:
        yield told("DOC-ENGINE", problem)
        return
    if choice.name == "embedded":
        yield from embedded.services(patient)


def _chosen(patient: Patient) -> str:
    named = patient.project.settings.engine
    return "what `engine: auto` picks" if named == "auto" else f"setting engine: {named}"


def judged(info: Mapping[str, Any], api: tuple[int, ...], url: str) -> Line:
    """Return what there is to say about an engine that answers."""
    version = str(info.get("ServerVersion") or "of an unknown version")
    shown = ".".join(map(str, api))
    what = f"Docker Engine {version} at {url} (API {shown})"
    if api >= docker.START_INTERVAL_API:
        return ok("DOC-ENGINE", "docker", what)
    floor = ".".join(map(str, docker.START_INTERVAL_API))
    message = f"{what} does not know start_interval (API {floor}): services become ready later"
    return wrong("DOC-ENGINE", "docker", message, "update to Docker Engine 25", state="warning")


def room(patient: Patient) -> Iterator[Line]:
    """Tell how much is free where the engine keeps its data, and where backups go."""
    root = patient.project.root
    yield free("the project", root, shutil.disk_usage(root).free, "move the project, or make room")
    with patient.engine() as engine:
        if isinstance(engine, Embedded):
            return  # its data lies in the project
        folder = engine.data_folder()
    if folder is None:
        message = "the engine keeps its data on another machine or in a virtual one"
        yield unknown("DOC-DISK", "docker", message, "docker system df")
    elif folder.stat().st_dev != root.stat().st_dev:
        yield free("docker", folder, shutil.disk_usage(folder).free, "inv image.prune")


def free(subject: str, folder: Path, count: int, fix: str) -> Line:
    """Return what there is to say about a number of free bytes."""
    message = f"{sizes.shown(count)} free in {folder}"
    if count >= TIGHT:
        return ok("DOC-DISK", subject, message)
    state: Any = "error" if count < DISK_FLOOR else "warning"
    return wrong("DOC-DISK", subject, message, fix, state=state)


def clock(patient: Patient) -> Iterator[Line]:
    """Compare the clocks of the engine and of the database with this machine's."""
    with patient.engine() as engine:
        if isinstance(engine, Embedded):
            return  # it has this machine's
        asked = time.time()
        said = str(engine.info().get("SystemTime") or "")
        yield skew("docker", _epoch(said), asked, time.time())
    try:
        server = patient.server()
    except StackError:  # told where the database is
        return
    if server is not None:
        there = server.facts.details.get("clock")
        at = float(there) if isinstance(there, int | float) else 0.0
        yield skew(server.service, at, server.asked, server.answered)


def skew(subject: str, there: float, asked: float, answered: float) -> Line:
    """Return what there is to say about a clock that was read between two moments of ours."""
    if not there:
        return unknown("DOC-CLOCK", subject, "does not say what time it has")
    off = there - min(max(there, asked), answered)
    if abs(off) <= SKEW_S:
        return ok("DOC-CLOCK", subject, "has this machine's time")
    way = "ahead of" if off > 0 else "behind"
    message = f"{abs(off):.0f} s {way} this machine: tokens, certificates and builds go wrong"
    fix = "restart Docker Desktop, or set the clocks by NTP: timedatectl set-ntp true"
    return wrong("DOC-CLOCK", subject, message, fix, state="warning")


def _epoch(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0

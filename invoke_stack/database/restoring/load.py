"""Filling a new database, and looking whether everything is in it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.database import asking, sessions
from invoke_stack.database.admin import Admin
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Progress, Report, ServiceProgress, Warned
from invoke_stack.process import Command, Running

JOBS = 4
_LOOK_S = 0.3
_LONGEST = 400
_SHOWN = 6
_ERROR = re.compile(r"^\S+: (?:error|fatal): |^psql:\S+: (?:ERROR|FATAL)|^(?:ERROR|FATAL): ")
_DONE = re.compile(r"^\w+: (?:finished item \d+|creating|executing) (.*)")


@dataclass(frozen=True, slots=True)
class Options:
    """How an archive is loaded; see `restorer.Load`."""

    jobs: int = 1
    owner: bool = True
    privileges: bool = True
    in_place: bool = False
    parallel: bool = False


def archive_command(admin: Admin, target: Target, path: str, how: Options) -> Command:
    """Return the call that loads an archive that lies in the container."""
    argv = admin.restorer.load(path, target.database, how)
    return target.inside(proved(argv, admin.session), application=admin.session)


def proved(argv: tuple[str, ...], word: str) -> tuple[str, ...]:
    """Return a program that says `done WORD` once another one has ended well.

    The exit code alone proves nothing: an interrupted `docker exec` ends with 0 while the program
    goes on inside the container.
    """
    return ("sh", "-c", '"$@" && echo "done $0"', word, *argv)


def archive(admin: Admin, target: Target, path: str, how: Options, report: Report) -> None:
    """Load an archive.

    Raises:
        StackError: it failed, with the program's own words.
    """
    began = time.monotonic()
    command = archive_command(admin, target, path, how)
    with (
        sessions.ended_on_failure(admin.project, admin.outside, admin.session),
        admin.project.runner.start(command) as running,
    ):
        code, lines = _watched(running, target.service, began, report)
        whole = running.said(f"done {admin.session}") or admin.project.dry
    _require(admin, code or (0 if whole else 1), lines)


def script(admin: Admin, target: Target, file: Path, word: str) -> None:
    """Run a plain dump that ends with an echo of the word.

    Raises:
        StackError: a statement failed, or the end was not reached.
    """
    argv = proved(admin.restorer.script(), admin.session)
    command = target.inside(argv, application=admin.session, fed=True)
    with (
        sessions.ended_on_failure(admin.project, admin.outside, admin.session),
        admin.project.runner.start(command, stdin=file) as running,
    ):
        code = running.wait()
        lines = running.tail
        # The first comes from the end of the dump, the second once it is committed.
        ended = running.said(word) and running.said(f"done {admin.session}")
    whole = ended or admin.project.dry
    _require(admin, code or (0 if whole else 1), lines)


def finish(
    admin: Admin, target: Target, jobs: int, wanted: Mapping[str, int], report: Report
) -> None:
    """Have the planner know the new rows; meanwhile see whether all objects are there.

    Args:
        admin: the server.
        target: the database that was filled.
        jobs: how many sessions look at its tables.
        wanted: how many objects of each kind it must have; nothing where nobody knows.
        report: told what costs speed, not data.

    Raises:
        StackError: something of it is not there.
    """
    if not wanted:
        _analyze(admin, target, jobs, report)
        return
    with asking.begun(admin.project, target, admin.restorer.counts()) as counted:
        _analyze(admin, target, jobs, report)
        _compare(admin.restorer.read_counts(counted()), wanted)


def _compare(there: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    missing = [
        f"{kind}: {there[kind]} of {number}"
        for kind, number in wanted.items()
        if there.get(kind, number) < number
    ]
    if missing:
        text = "the restored database is not complete"
        raise StackError("db.restore", text, hint="the live one is what it was", detail=(*missing,))


def _analyze(admin: Admin, target: Target, jobs: int, report: Report) -> None:
    command = target.inside(
        admin.restorer.analyze(target.database, jobs), application=admin.session
    )
    with (
        sessions.ended_on_failure(admin.project, admin.outside, admin.session),
        admin.project.runner.start(command) as running,
    ):
        code = running.wait()
        words = [admin.project.secrets.hide(line) for line in running.tail[-1:]]
    if code:
        report(Warned(f"ANALYZE failed: {words[0] if words else code}", "queries may be slow"))


def _watched(
    running: Running, service: str, began: float, report: Report
) -> tuple[int, tuple[str, ...]]:
    """Wait for the end and tell what is being done; return the code and the lines to show."""
    failed: list[str] = []
    done, code = 0, None
    while code is None:
        try:
            code = running.wait(_LOOK_S)
        except TimeoutError:
            code = None
        detail = ""
        for line in running.fresh():
            if failed or _ERROR.match(line):
                failed.append(line)
            elif found := _DONE.match(line):
                done, detail = done + 1, found[1]
        if detail:
            since = time.monotonic() - began
            row = ServiceProgress(service, "running", f"{done} objects: {detail}", since)
            report(Progress((row,)))
    return (code or 1 if failed else code), tuple(failed or running.tail)


def _require(admin: Admin, code: int, lines: Sequence[str]) -> None:
    """Raise with the lines from the first error on."""
    first = next((n for n, line in enumerate(lines) if _ERROR.match(line)), None)
    if code == 0 and first is None:
        return
    shown = lines[-_SHOWN:] if first is None else lines[first : first + _SHOWN]
    detail = tuple(admin.project.secrets.hide(line)[:_LONGEST] for line in shown)
    hint = "the live database is what it was; correct the cause, then run it again"
    text = "the dump could not be restored"
    raise StackError("db.restore", text, hint=hint, detail=detail)


def skipped(found: Mapping[str, int], report: Report) -> None:
    """Tell what of a plain dump was left out."""
    for what, number in found.items():
        report(Note(f"left out: {what}" + (f" ({number} times)" if number > 1 else "")))

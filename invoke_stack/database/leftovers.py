"""What a run that was killed leaves: sessions and databases on the server, hidden files here."""

from __future__ import annotations

from pathlib import Path

from invoke_stack import files
from invoke_stack.database import catalog, names, sessions, write
from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.errors import BusyError
from invoke_stack.events import Note, Report
from invoke_stack.project import Project


def sweep(project: Project, target: Target, report: Report) -> None:
    """End and remove what killed runs left of a target; a live run holds the lock and stays."""
    if project.dry:
        return
    lock = sessions.lock_path(project.state, target)
    try:
        with files.lock(lock, f"database {target.database}"):
            end(project, target, lock, report)
            remove(project, catalog.root(project) / names.folder_name(target.database), report)
    except BusyError:
        return


def ending(target: Target, lock: Path, spared: str = "") -> str:
    """Return statements that end what dead runs left on the server; `tell` reads the answer.

    The caller holds the lock, so whatever carries its name belongs to a run that has died, but
    for the session ``spared``, which is the caller's own.
    """
    prefix = sessions.prefix(lock)
    prover = getattr(target.provider, "prover", None)
    return target.provider.ending(prefix, spared) + (prover.sweep(prefix) if prover else "")


def tell(target: Target, answer: str, report: Report) -> None:
    """Say what those statements have ended."""
    if ended := sessions.counted(answer):
        report(Note(f"ended {ended} session(s) that an interrupted run left on the server"))
    prover = getattr(target.provider, "prover", None)
    if prover and (dropped := prover.swept(answer)):
        report(Note(f"dropped {dropped} temporary database(s) of an interrupted run"))


def end(project: Project, target: Target, lock: Path, report: Report) -> None:
    """End what dead runs left on the server; the caller holds the lock."""
    tell(target, targets.ask(project, target, ending(target, lock), read=False), report)


def remove(project: Project, folder: Path, report: Report) -> None:
    """Remove unfinished files of dead runs; the caller holds the target's lock."""
    for path in write.stale(folder):
        path.unlink(missing_ok=True)
        report(Note(f"removed {project.shown(path)}, unfinished by a run that died"))

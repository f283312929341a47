"""What a run that was killed leaves behind: a session on the server, a hidden file here."""

from __future__ import annotations

from pathlib import Path

from invoke_stack import files
from invoke_stack.database import catalog, names, sessions, write
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
            ended = sessions.end(project, target, sessions.prefix(lock))
            folder = catalog.root(project) / names.folder_name(target.database)
            remove(project, folder, ended, report)
    except BusyError:
        return


def remove(project: Project, folder: Path, ended: int, report: Report) -> None:
    """Remove unfinished files of dead runs, and say how many sessions were ended.

    The caller holds the target's lock.
    """
    if ended:
        report(Note(f"ended {ended} session(s) that an interrupted run left on the server"))
    for path in write.stale(folder):
        path.unlink(missing_ok=True)
        report(Note(f"removed {project.shown(path)}, unfinished by a run that died"))

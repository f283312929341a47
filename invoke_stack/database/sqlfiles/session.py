"""One session of psql for one script, and its messages with the file's own lines."""

from __future__ import annotations

import re
import secrets

from invoke_stack.database import locate, sessions, urls
from invoke_stack.database import target as targets
from invoke_stack.database.keyed import Keyed
from invoke_stack.database.migrating import Place
from invoke_stack.database.shell import UNCONNECTED
from invoke_stack.database.sqlfiles import journal
from invoke_stack.database.target import Target
from invoke_stack.errors import BusyError, StackError
from invoke_stack.events import Line, Report
from invoke_stack.process import Completed
from invoke_stack.project import Project

_NO_DATABASE = re.compile(r'database ".*" does not exist')
_PLACE = re.compile(r"psql:<stdin>:(\d+): ?")


def target(project: Project, place: Place) -> Target:
    """Return the place's database as the app's own user reaches it."""
    text = place.stack if place.own else place.host or place.stack
    if not text and place.target is not None:
        return place.target
    found = Keyed(place.keys[0], text, urls.parse(text, place.keys[0]))
    project.secrets.learn([found.address.password] if found.address.password else [])
    return locate.at(project, place.declared, place.docker, found)


def look(project: Project, to: Target) -> Completed:
    """Return whether the database answers, as its client says it."""
    command = to.inside(to.provider.client(), fed=True, read=True)
    return project.runner.capture(command, timeout_s=targets.QUERY_S, stdin=b"SELECT 1;")


def missing(done: Completed) -> bool:
    """Return whether the server says that it has no such database."""
    return done.code != 0 and bool(_NO_DATABASE.search(done.stderr))


def run(project: Project, to: Target, script: str) -> Completed:
    """Run a script in one session; when we are interrupted, the session ends too."""
    name = f"invoke_stack-sql-{secrets.token_hex(4)}"
    # Read as a file, psql tells the line of what fails.
    command = to.inside(to.provider.shell("", bare=True), application=name, fed=True)
    try:
        done = project.runner.capture(command, stdin=script.encode())
    except KeyboardInterrupt:
        sessions.end_quietly(project, to, name, sessions.START_S)
        raise
    if done.code == UNCONNECTED:  # no fault of the file
        raise targets.failed(project, to, done)
    return done


def tell(project: Project, report: Report, done: Completed, shown: str, before: int) -> None:
    """Report what a script that succeeded had to say."""
    if done.code == 0:
        for line in done.stderr.splitlines():
            report(Line(shown, _placed(project.secrets.hide(line), shown, before)))


def failure(project: Project, done: Completed, shown: str, before: int, hint: str) -> StackError:
    """Return the error of a script that failed, with the line of the file."""
    words = project.secrets.hide(done.stderr.strip())
    lines = words.splitlines() or [f"psql ended with code {done.code}"]
    at = next((n for n, line in enumerate(lines) if "ERROR:" in line or "FATAL:" in line), 0)
    found = _PLACE.search(lines[at])
    ours = found is not None and int(found[1]) <= before
    if ours and "lock timeout" in lines[at]:
        text = "another migration run holds the lock and does not end"
        return BusyError(shown, text, hint="wait for it, then run the task again")
    detail = tuple(_placed(line, shown, before) for line in lines[at + 1 : at + 8])
    place, _, message = _placed(lines[at], shown, before).rpartition("ERROR:")
    where = f"table {journal.TABLE}" if ours else place.strip().rstrip(":") or shown
    return StackError(where, message.strip(), hint=hint, detail=detail)


def _placed(line: str, shown: str, before: int) -> str:
    """Return a line of psql's with the file's own name and line in it."""
    return _PLACE.sub(lambda found: f"{shown}:{max(1, int(found[1]) - before)}: ", line)

"""A process of its own around one `db.*` function, with the task layer's signal handling.

    python driver.py ROOT VERB OPTIONS_JSON

The document goes to stdout, events and errors to stderr; the exit code is the task's.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from invoke_stack import settings
from invoke_stack.database import adopt, backup, catalog, job, rails, reset, snapshot, verify, wait
from invoke_stack.database import target as targets
from invoke_stack.database.restoring import request, restore, undo
from invoke_stack.database.sqlfiles.tool import SqlFiles
from invoke_stack.engines import opening
from invoke_stack.environment import declared
from invoke_stack.errors import RefusedError, StackError
from invoke_stack.events import Event
from invoke_stack.migrations import migrate, places, rehearse
from invoke_stack.process import SystemRunner, Terminated
from invoke_stack.project import Project


def terminated(*_: object) -> None:
    raise Terminated


def report(event: Event) -> None:
    print(event, file=sys.stderr, flush=True)


def agreed(question: str, word: str = "") -> None:
    """Say yes where y is enough; nobody types a name here."""
    print("asked:", question, file=sys.stderr, flush=True)
    if word:
        raise RefusedError("confirmation", f"{word} was not typed")


def emptied(project: Project, stack: Any, engine: Any, options: Any) -> Any:
    """Reset a database and fill it with statements in place of migrations."""

    def fill(new: targets.Target) -> None:
        statements = f"\\set ON_ERROR_STOP on\n{options['statements']}"
        targets.ask(project, new, statements, read=False)

    target = targets.find(project, stack, engine)
    return reset.reset(project, target, fill, rails.Consent(), agreed, report)


RESTORING: dict[str, Any] = {
    "restore": lambda p, s, e, options: restore.restore(
        p, s, e, request.Options(**options), rails.Consent(), agreed, report
    ),
    "undo": lambda p, s, e, options: undo.undo(
        p, s, e, request.Options(**options), rails.Consent(), agreed, report
    ),
    "reset": emptied,
    "snapshot": lambda p, s, e, options: snapshot.snapshot(p, s, e, options["name"], report),
    "rewind": lambda p, s, e, options: snapshot.rewind(
        p, s, e, options["name"], rails.Consent(), agreed, report
    ),
}


def rehearsed(project: Project, stack: Any, engine: Any, options: Any) -> int:
    place = places.find(project, stack, engine, report)
    request = migrate.Request(**options)
    found = rehearse.rehearse(project, place, SqlFiles(), request, report, agreed)
    print(json.dumps(found.document()))
    return int(found.code)


def run(root: Path, verb: str, options: dict[str, object]) -> int:
    own = settings.load([settings.Source("test", options.pop("settings", {}))])
    runner = SystemRunner(os.environ, dry=bool(options.pop("dry", False)))
    project = Project(root, own, runner, os.environ)
    stack = declared.load(project)
    with opening.open(project) as engine:
        if verb == "wait":
            ready = wait.wait(project, stack, engine, options.get("timeout_s", 0), report)
            print(json.dumps({"seconds": ready.seconds}))
        elif verb in RESTORING:
            done = RESTORING[verb](project, stack, engine, options)
            print(json.dumps(done.mapping() if done else {}))
        elif verb == "rehearse":
            return rehearsed(project, stack, engine, options)
        elif verb in {"verify", "adopt"}:
            print(json.dumps(checked(project, verb, str(options["file"]), options)))
        else:
            made = backup.backup(project, stack, engine, job.Options(**options), report)
            print(json.dumps(made.mapping() if made else {}))
    return 0


def checked(
    project: Project, verb: str, file: str, options: dict[str, object]
) -> dict[str, object]:
    entry = catalog.resolve(project, file, ())
    if verb == "adopt":
        return adopt.adopt(project, entry, report).mapping()
    restore = bool(options.get("restore"))
    return verify.verify(project, entry, report, restore=restore).mapping()


def main() -> int:
    signal.signal(signal.SIGTERM, terminated)
    try:
        return run(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
    except StackError as problem:
        print(f"error: {problem}", *problem.detail, problem.hint, sep="\n", file=sys.stderr)
        return int(problem.code)
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

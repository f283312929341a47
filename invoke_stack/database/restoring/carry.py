"""A file inside the container for a while: only a file can be restored by several processes.

Where the programs run on this machine they read it where it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from invoke_stack import sizes
from invoke_stack.database import target as targets
from invoke_stack.database.admin import Admin
from invoke_stack.errors import StackError
from invoke_stack.events import Report, Step

FOLDER = "/tmp"  # noqa: S108 - a name that nobody can guess, for the owner alone
# What killed runs left there goes first.
_COPY = 'rm -f -- "$2"*; umask 077; set -C; cat >"$1" && wc -c <"$1"'


@contextlib.contextmanager
def carried(admin: Admin, file: Path, report: Report) -> Iterator[str]:
    """Yield the path of a file for the target's programs: in a container, of a copy for a while.

    Raises:
        StackError: it did not arrive whole.
    """
    if not admin.target.container:
        yield str(file.resolve())
        return
    path = f"{FOLDER}/{admin.session}.dump"
    size = file.stat().st_size
    report(Step(f"copying {sizes.shown(size)} into the container"))
    argv = ("sh", "-c", _COPY, "sh", path, f"{FOLDER}/{admin.key}")
    command = admin.target.inside(argv, fed=True)
    try:
        with admin.project.runner.start(command, stdin=file) as running:
            code = running.wait()
            words = running.tail
        if not admin.project.dry and (code or [each.strip() for each in words[-1:]] != [str(size)]):
            where = admin.target.where
            detail = tuple(admin.project.secrets.hide(each) for each in words[-4:])
            text = f"{file.name} did not arrive whole in its {FOLDER}"
            hint = "make room for it there; see it with: inv stack.exec -s SERVICE -- df -h /tmp"
            raise StackError(where, text, hint=hint, detail=detail)
        yield path
    finally:
        _removed(admin, path)


def _removed(admin: Admin, path: str) -> None:
    # A container that has stopped meanwhile keeps it until the next run.
    with contextlib.suppress(StackError):
        command = admin.target.inside(("sh", "-c", 'rm -f -- "$1"', "sh", path))
        admin.project.runner.capture(command, timeout_s=targets.QUERY_S)

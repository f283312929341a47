"""What the messages of PostgreSQL's programs mean for the user."""

from __future__ import annotations

import re

from invoke_stack.database.values import Login
from invoke_stack.errors import StackError, UnreachableError, UsageError

_WHO_LOCKS = (
    "see who holds it in psql: SELECT pid, relation::regclass FROM pg_locks "
    "WHERE mode = 'AccessExclusiveLock'"
)
_UNREACHED = (
    r"could not connect|connection to server .* failed|starting up|could not translate host"
)
_LONGEST = 400


def explain(login: Login, stderr: str, lock_wait_s: float) -> StackError | None:
    """Return the error that a program's last words stand for; None for others.

    Args:
        login: whom it connected as.
        stderr: what it wrote.
        lock_wait_s: how long it waited for a locked table.
    """
    where = f"database {login.database}"
    if re.search(r'database ".*" does not exist', stderr):
        hint = "name another in the setting stack.db.name, or create it: inv db.repair"
        if login.variables:
            hint = "correct the name in the URL, or create it with your migrations"
        return UsageError(where, "does not exist on this server", hint=hint)
    if re.search(r'password authentication failed|no password supplied|role ".*" does', stderr):
        text = f"the server does not let user {login.user} in"
        hint = "the volume keeps the user and password it was made with: inv db.repair"
        if login.variables:
            hint = "correct user and password in the URL; of this stack's volume: inv db.repair"
        return UnreachableError(where, text, hint=hint, detail=_last(stderr))
    return _while_dumping(where, stderr, lock_wait_s) or _unreached(login, stderr)


def _while_dumping(where: str, stderr: str, lock_wait_s: float) -> StackError | None:
    if found := re.search(r"server version: ((\d+)\S*).*?; pg_\w+ version: (\S+)", stderr):
        text = f"pg_dump {found[3]} cannot dump server {found[1]}: the program must be as new"
        hint = f"install PostgreSQL {found[2]}'s client programs, first on PATH"
        return UsageError(where, text, hint=hint, detail=_last(stderr))
    if "LOCK TABLE" in stderr and "timeout" in stderr:
        text = f"a session kept a table locked for more than {lock_wait_s} s"
        return StackError(where, text, hint=_WHO_LOCKS, detail=_last(stderr))
    return None


def _unreached(login: Login, stderr: str) -> StackError | None:
    if not re.search(_UNREACHED, stderr):
        return None
    hint = "wait for it with: inv db.wait"
    if login.variables:
        hint = "check host and port in the URL, or wait for it: inv db.wait --target KEY"
    where = f"database {login.database}"
    return UnreachableError(where, "does not answer", hint=hint, detail=_last(stderr))


def _last(stderr: str) -> tuple[str, ...]:
    # One statement may lock thousands of tables: pg_dump prints all their names.
    return tuple(line[:_LONGEST] for line in stderr.strip().splitlines()[-2:])

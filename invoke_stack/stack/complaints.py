"""What a failed `docker compose up` complains about, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from invoke_stack.errors import StackError, UsageError

DAEMON = "Error response from daemon: "
_PROGRESS = re.compile(r"^\s*(?:Container|Network|Volume|Image|Service) ")

# What the engine says, and the next step where the user's own files or machine cause it.
_KNOWN = (
    (
        r"address already in use|port is already allocated",
        "change the published port, or end what holds it",
    ),
    (
        r"cannot assign requested address",
        "the host address below `ports:` is not one of the engine's machine",
    ),
    (
        r"network (\S+) not found|network (\S+) declared as external",
        "create it: docker network create NAME, or take `external: true` away",
    ),
    (
        r"external volume",
        "create it: docker volume create NAME, or take `external: true` away",
    ),
    (
        r'container name "/[0-9a-f]{12}_',
        "an earlier run was interrupted while it replaced the container: run it again",
    ),
    (
        r"container name .* is already in use",
        "remove that container: docker rm NAME, or take `container_name:` away",
    ),
    (
        r"bind source path does not exist",
        "create that file, or correct its path in the compose file",
    ),
    (
        r"[Ii]nvalid (?:hostPort|containerPort|proto)",
        "correct it below `ports:`, or in the variable that it comes from: inv env.show",
    ),
    (
        r"invalid mount config|invalid volume specification",
        "correct `volumes:` in the compose file",
    ),
)


def compose_error(tail: Sequence[str]) -> StackError:
    """Return the error of a failed `docker compose up`, in Compose's own last words."""
    lines = [line.strip() for line in tail if line.strip()]
    last = next(
        (line for line in reversed(lines) if "rror" in line or "failed" in line),
        lines[-1] if lines else "no output",
    )
    text = last.removeprefix(DAEMON)
    detail = tuple(lines[-6:]) if len(lines) > 1 else ()
    for pattern, hint in _KNOWN:
        if re.search(pattern, text):
            return UsageError("docker compose up", text, hint=hint, detail=detail)
    if lines and not any(line.startswith(DAEMON) or _PROGRESS.match(line) for line in lines):
        # It ended before it asked the engine for anything: it is the files that it refuses.
        hint = "correct the compose files, then run the task again"
        return UsageError("docker compose up", text, hint=hint, detail=detail)
    return StackError("docker compose up", text, hint="inv stack.ps", detail=detail)

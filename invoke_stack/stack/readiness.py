"""When a service is ready, and when waiting for it is over: rules without an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines.containers import Container

SETTLE_S = 1.0
"""A service without a health check has to stay up this long, so that a crash on start shows."""

RESTARTS = 2
"""Restarts by the engine after which a service counts as failing, not as waiting for a peer."""

Kind = Literal["waiting", "starting", "running", "healthy", "unhealthy", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a container says.

    Attributes:
        kind: the word in the live table.
        ready: nothing more to wait for.
        reason: why waiting is over, or "".
    """

    kind: Kind
    ready: bool = False
    reason: str = ""


def judge(container: Container | None, age_s: float, declared: HealthCheck | None) -> Verdict:
    """Return the verdict on a service's container.

    Args:
        container: what the engine says; None before it was created.
        age_s: seconds since it was started.
        declared: the health check as the project wrote it. The running container's own has a
            longer start period, in which the engine counts no failures.
    """
    if container is None or container.state == "created":
        return Verdict("waiting", reason=container.error if container else "")
    if container.restarts >= RESTARTS and container.health != "healthy":
        return Verdict("failed", reason=_restarting(container))
    if container.state in ("exited", "dead"):
        if container.exit_code == 0:
            return Verdict("done", ready=True)
        return Verdict("failed", reason=f"exited with code {container.exit_code}")
    if container.state != "running":
        return Verdict("starting")
    return _running(container, age_s, declared)


def left_over(container: Container | None, *, met: bool) -> Verdict | None:
    """Return the verdict where nothing will change any more once Compose has ended well.

    Without it one would wait for ever.

    Args:
        container: what the engine says; None where there is none.
        met: the service had a container earlier in this wait.
    """
    if container is None:  # `replicas: 0`, or somebody took the stack down meanwhile
        gone = Verdict("failed", reason="its container was removed while it started")
        return gone if met else Verdict("done", ready=True)
    if container.state == "paused":
        return Verdict("failed", reason=f"is paused; docker unpause {container.name} wakes it")
    if container.state == "created":
        reason = f": {container.error}" if container.error else ""
        return Verdict("failed", reason=f"was created and not started{reason}")
    return None


def _running(container: Container, age_s: float, declared: HealthCheck | None) -> Verdict:
    if container.health == "healthy":
        return Verdict("healthy", ready=True)
    if container.health == "unhealthy":
        return Verdict("unhealthy", reason="its health check fails")
    if container.health == "starting":
        deadline = declared.deadline_s if declared else None
        if deadline is not None and age_s > deadline:
            return Verdict("unhealthy", reason=f"its health check did not pass in {deadline:g} s")
        return Verdict("starting")
    return Verdict("running", ready=age_s >= SETTLE_S)


def _restarting(container: Container) -> str:
    return f"exits with code {container.exit_code} and was restarted {container.restarts} times"

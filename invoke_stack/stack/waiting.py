"""Watching services until each is ready, or until one of them cannot become so."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invoke_stack import events
from invoke_stack.compose.model import HealthCheck
from invoke_stack.database import versions
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.process import Running
from invoke_stack.stack.complaints import compose_error
from invoke_stack.stack.readiness import Verdict, judge, left_over

POLL_S = 0.2
SUSPECT_S = 5.0
"""How often, in seconds, the databases' logs are read for the usual reason to wait in vain."""

LOCKED_OUT = re.compile(r'password authentication failed for user "([^"]+)"')
LOG_LINES = 15
PROBE_LINES = 4


@dataclass
class Watch:
    """One wait.

    Attributes:
        engine: where the containers run.
        name: the Compose project.
        services: what has to become ready.
        checks: health checks as declared, for the deadlines.
        before: the containers as they were; what they did earlier is not held against them.
        databases: services whose log tells why an application cannot get in.
        timeout_s: give up after this many seconds; 0: each service's own deadline alone.
    """

    engine: Docker
    name: str
    services: Sequence[str]
    checks: Mapping[str, HealthCheck]
    before: Sequence[Container] = ()
    databases: Sequence[str] = ()
    timeout_s: float = 0.0
    report: events.Report = events.silent
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _seen: dict[str, float] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    _next_suspicion: float = SUSPECT_S
    _began: float = 0.0

    def until_ready(self, starting: Running) -> None:
        """Return once every service is ready.

        Args:
            starting: the `docker compose up` that runs beside us.

        Raises:
            StackError: a service exited, or Compose failed.
            UnreachableError: a service did not become healthy within its own deadline.
        """
        begin = self._began = self.clock()
        while True:
            ended = starting.poll()
            found = self._look(starting=ended != 0)
            self._require(found)
            if ended not in (None, 0):
                starting.wait()  # its last words may still be on their way
                raise compose_error(starting.tail)
            if ended == 0 and all(verdict.ready for _, verdict in found.values()):
                return
            if self.clock() - begin > self._next_suspicion:
                self._next_suspicion += SUSPECT_S
                self._suspect(found)
            if self.timeout_s and self.clock() - begin > self.timeout_s:
                raise self._late(found)
            self.sleep(POLL_S)

    def _look(self, *, starting: bool) -> dict[str, tuple[Container | None, Verdict]]:
        """Look once at every service and report the table."""
        containers: dict[str, Container] = {}
        for each in self.engine.containers(self.name):
            if each.service in self.services:
                containers[each.service] = _worse(containers.get(each.service), each)
        found, rows = {}, []
        for service in self.services:
            container = containers.get(service)
            age = self._age(container)
            verdict = self._judge(container, age, service, starting=starting)
            found[service] = (container, verdict)
            # What ran before is as old as it is; this wait is not.
            waited = min(age, self.clock() - self._began)
            rows.append(events.ServiceProgress(service, verdict.kind, verdict.reason, waited))
        self.report(events.Progress(tuple(rows)))
        return found

    def _judge(
        self, container: Container | None, age_s: float, service: str, *, starting: bool
    ) -> Verdict:
        old = next((c for c in self.before if container and c.id == container.id), None)
        if container and old:
            # Compose stops a container before it replaces it; how that one ended is no failure.
            if starting and not container.running and container.started_at == old.started_at:
                return Verdict("waiting")
            container = replace(container, restarts=max(0, container.restarts - old.restarts))
        if container:
            self._met.add(service)
        if not starting and (verdict := left_over(container, met=service in self._met)):
            return verdict
        return judge(container, age_s, self.checks.get(service))

    def _age(self, container: Container | None) -> float:
        """Return seconds since the start; a remote engine's clock need not agree with ours."""
        if container is None or not container.started_at:
            return 0.0
        if self.engine.endpoint.local:
            return max(0.0, time.time() - container.started_at)
        key = f"{container.id}@{container.started_at}"
        return self.clock() - self._seen.setdefault(key, self.clock())

    def _require(self, found: Mapping[str, tuple[Container | None, Verdict]]) -> None:
        for service, (container, verdict) in found.items():
            if verdict.kind in ("failed", "unhealthy"):
                raise self._failure(service, container, verdict)

    def _suspect(self, found: Mapping[str, tuple[Container | None, Verdict]]) -> None:
        """Warn once when a database turns the application away: its volume has another password.

        The password in the env files counts only when the volume is made; changed later, every
        health check behind it fails until its deadline.
        """
        late = [c.started_at for c, verdict in found.values() if c and not verdict.ready]
        for service in self.databases if late else ():
            container, verdict = found[service]
            if container is None or not verdict.ready:
                continue
            # Only what was written since the late ones started: older refusals are history.
            words = self.engine.logs(container.id, LOG_LINES, since=min(late))
            refused = LOCKED_OUT.search(words)
            if refused:
                self._next_suspicion = math.inf
                text = f"{service} refuses the password of user {refused[1]}"
                self.report(
                    events.Warned(
                        f"{text}: its volume was made with another one",
                        "give the user the new one, without losing data: inv db.repair",
                    )
                )

    def _failure(self, service: str, container: Container | None, verdict: Verdict) -> StackError:
        kind = UnreachableError if verdict.kind == "unhealthy" else StackError
        words = self._words(container) if container else ()
        if known := versions.mismatch(service, "\n".join(words)):
            return known
        hint = f"inv stack.logs -s {service}   (everything it wrote)"
        return kind(service, verdict.reason, hint=hint, detail=words)

    def _words(self, container: Container) -> tuple[str, ...]:
        """Return a container's last log lines and what its health check printed last."""
        logs = self.engine.logs(container.id, LOG_LINES).splitlines()
        lines = [f"log | {line}" for line in logs] or ["log | (nothing was written)"]
        if container.health_log and container.health != "healthy":
            probe = container.health_log[-1].splitlines()[-PROBE_LINES:] or ["(no output)"]
            lines += [f"health check | {line}" for line in probe]
        return tuple(lines)

    def _late(self, found: Mapping[str, tuple[Container | None, Verdict]]) -> StackError:
        late = [name for name, (_, verdict) in found.items() if not verdict.ready]
        container = found[late[0]][0] if late else None
        return UnreachableError(
            ", ".join(late) or self.name,
            f"not ready within {self.timeout_s:g} s",
            hint=f"inv stack.logs -s {late[0]}" if late else "inv stack.ps",
            detail=self._words(container) if container else (),
        )


def _worse(first: Container | None, second: Container) -> Container:
    """Return the replica that is further from ready, so that one row can stand for both."""
    order = ("dead", "exited", "restarting", "created", "paused", "running")
    if first is None:
        return second
    pair = sorted(
        (first, second),
        key=lambda c: (order.index(c.state) if c.state in order else 0, c.health == "healthy"),
    )
    return pair[0]

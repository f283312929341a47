"""Bringing the stack's database and cache up as processes of this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoke_stack import events
from invoke_stack.compose.ports import Port
from invoke_stack.engines.embedded import declaring, postgres, record, running, serving
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.engines.embedded.record import Record
from invoke_stack.engines.embedded.running import Ready
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.stack import admission, known, ports, state
from invoke_stack.stack.embedded import elsewhere, taking
from invoke_stack.stack.known import Known


def bringing(  # noqa: PLR0913 - what a `Bringing` is made of
    project: Project,
    declared: Declared,
    engine: Embedded,
    wanted: Sequence[str],
    report: events.Report,
    *,
    recreate: bool,
    timeout_s: float,
    strict: bool,
) -> Bringing:
    """Return the start of the wanted services; the rest is as `Bringing` has it.

    Raises:
        UsageError: none of them can run here.
    """
    services = declared.model.services
    names = tuple(name for name in wanted if declaring.kind_of(services[name]))
    others = tuple(name for name in wanted if name not in names)
    if not names:
        first = others[0]
        hint = elsewhere.instead(project, services[first], declared.mode)
        raise UsageError(first, "is not started by the embedded engine", hint=hint)
    return Bringing(project, declared, engine, report, names, others, recreate, timeout_s, strict)


@dataclass(frozen=True, slots=True)
class Bringing:
    """One `stack.up` on the embedded engine.

    Attributes:
        names: the services of it that run here.
        others: those that need a container.
        recreate: start again what runs as declared.
        timeout_s: how long one service may take; 0: as long as it needs within reason.
        strict: refuse programs that are not what the image is, in place of a warning.
    """

    project: Project
    declared: Declared
    engine: Embedded
    report: events.Report
    names: tuple[str, ...]
    others: tuple[str, ...]
    recreate: bool
    timeout_s: float
    strict: bool

    def run(self) -> None:
        """Start what does not run as declared, and wait until it is ready.

        Raises:
            UsageError: no programs for it, a port is taken; nothing was changed.
            StackError: it could not be made or started.
            UnreachableError: it was not ready in time.
        """
        ours = Known(self.declared.name, self.declared.files.folder, self.declared.model, None)
        known.containers(self.project, ours, self.engine)
        found = [self._ready(name) for name in self.names]
        plans = self._plans(found)
        self._require_ports(plans)
        self._leave_out()
        before = [record.read(self.project, name) for name in self.names]
        started = [self._start(ready, plan) for ready, plan in zip(found, plans, strict=True)]
        if self.project.dry:
            return
        for each in started:
            serving.wait(self.project, each, self.timeout_s or serving.START_S)
            self._progress(started)
        ran = [plan.service for plan, begun in zip(before, started, strict=True) if plan == begun]
        old = {f"{record.PREFIX}{name}" for name in ran}
        databases = [each.service for each in started if each.kind == "postgres"]
        admission.check(self.project, self.declared, self.engine, databases, old, self.report)

    def _ready(self, name: str) -> Ready:
        found = running.ready(self.project, declaring.wanted(self.project, self.declared, name))
        for note in found.notes:
            self.report(events.Note(note))
        for each in found.warnings:
            if self.strict:
                raise UsageError("--strict", each.text, hint=each.hint)
            self.report(each)
        return found

    def _plans(self, found: Sequence[Ready]) -> list[Record]:
        plans = []
        for ready in found:
            wanted = ready.wanted
            old = record.read(self.project, wanted.service)
            port = wanted.port or self._unpublished(old)
            if not wanted.port:
                text = f"{wanted.service} publishes no port; here it is {postgres.LOOPBACK}:{port}"
                self.report(events.Note(text))
            plan = running.planned(self.project, ready, port)
            plans.append(dataclasses.replace(plan, sockets=old.sockets if old else ""))
        return plans

    def _unpublished(self, old: Record | None) -> int:
        """Return the port that a service had, unless somebody else took it, or a free one."""
        if old is not None and (
            serving.state(self.project, old) != "gone" or declaring.is_free(old.port)
        ):
            return old.port
        return declaring.free_port()

    def _require_ports(self, plans: Sequence[Record]) -> None:
        """Refuse before anything is changed when somebody else listens on a port."""
        asked = []
        for plan in plans:
            old = record.read(self.project, plan.service)
            held = old is not None and old.port == plan.port
            if not (held and old and serving.state(self.project, old) != "gone"):
                asked.append(Port(plan.service, plan.target, plan.port, host=postgres.LOOPBACK))
        for port in () if self.project.dry else asked:
            serving.settle(self.project, record.home(self.project, port.service).data)
        twice = {port.published: port.service for port in asked}
        if len(twice) < len(asked):
            names = ", ".join(port.service for port in asked)
            hint = "give each a port of its own in the compose file"
            raise UsageError(names, "publish the same port", hint=hint)
        found = ports.taken(self.project, asked, (), name=self.declared.name, local=True)
        if found:
            raise ports.error(self.declared, found)

    def _leave_out(self) -> None:
        """Say what does not run here and how to run it; end what the mode lacks."""
        for line in elsewhere.lines(self.project, self.declared, self.others):
            self.report(events.Note(line))
        up = {each.service for each in self.engine.containers(self.declared.name)}
        extra = ", ".join(sorted(up - set(self.declared.active())))
        last = state.last_mode(self.project)
        if not extra:
            return
        if last == self.declared.mode.name or self.project.dry:
            self.report(events.Note(f"left alone, not in this mode's files: {extra}"))
            return
        self.report(events.Step(f"removing {extra} (not in {self.declared.mode.name})"))
        for name in up - set(self.declared.active()):
            taking.down(self.project, name)

    def _start(self, ready: Ready, plan: Record) -> Record:
        old = record.read(self.project, plan.service)
        if old is not None and self._same(old, plan):
            return old
        if self.project.dry:
            self.report(events.Planned(f"start {plan.service} on port {plan.port}"))
            return plan
        if old is not None:
            serving.stop(self.project, old)
        plan = running.provide(self.project, ready, plan, self.report)
        self.report(
            events.Step(f"starting {plan.service} ({ready.programs.server} {ready.programs.shown})")
        )
        return serving.start(self.project, plan)

    def _same(self, old: Record, plan: Record) -> bool:
        """Tell whether a service runs as it is declared."""
        same = dataclasses.replace(old, sockets=plan.sockets).mark == plan.mark
        return (
            same and not self.recreate and serving.state(self.project, old) in ("ready", "starting")
        )

    def _progress(self, started: Sequence[Record]) -> None:
        words: Mapping[str, str] = {"ready": "healthy", "gone": "failed", "deaf": "unhealthy"}
        rows = []
        for each in started:
            now = words.get(serving.state(self.project, each), "starting")
            rows.append(events.ServiceProgress(each.service, now))  # type: ignore[arg-type]
        self.report(events.Progress(tuple(rows)))

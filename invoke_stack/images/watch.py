"""Following a build while it runs: events for people, and a log file of all of it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from io import TextIOWrapper

from invoke_stack import events, files
from invoke_stack.events import ServiceProgress
from invoke_stack.images.buildlog import BuildLog, Step
from invoke_stack.process import Running
from invoke_stack.project import Project

LOG = "build.log"
POLL_S = 0.1


class Watch:
    """Reads a build's output, reports its steps and keeps it in the state folder.

    Args:
        project: whose state folder, and whose secrets stay out of the log.
        services: what is built.
        report: told of every step that ends and of what goes on.
    """

    def __init__(self, project: Project, services: Sequence[str], report: events.Report) -> None:
        self.log = BuildLog(services)
        self.path = project.root / ".invoke-stack" / LOG
        self.tail: tuple[str, ...] = ()
        self._project = project
        self._services = services
        self._report = report
        self._began = time.monotonic()
        self._spans = {name: [self._began, self._began] for name in services}

    def follow(self, running: Running) -> int:
        """Read until the build ends; return its exit code."""
        if self._project.dry:
            return running.wait()
        with self._opened() as log:
            while True:
                try:
                    code: int | None = running.wait(POLL_S)
                except TimeoutError:
                    code = None
                for line in running.fresh():
                    log.write(f"{self._project.secrets.hide(line)}\n")
                    self._take(line)
                self._report(events.Progress(tuple(self._rows(code))))
                if code is not None:
                    return code

    def seconds(self, service: str) -> float:
        """Return how long the steps of a service took, from the first to the last."""
        first, last = self._spans[service]
        return last - first

    def _take(self, line: str) -> None:
        known = len(self.log.steps)
        ended = self.log.feed(line)
        now = time.monotonic()
        for step in self.log.steps[known:]:
            span = self._spans.get(step.service)
            if span and span[0] == self._began:
                span[0] = now
        if ended is not None and ended.service in self._spans:
            self._spans[ended.service][1] = now
            if ended.instruction and not ended.text.startswith("FROM "):
                self._report(events.Line(ended.service, _told(ended)))

    def _rows(self, code: int | None) -> list[ServiceProgress]:
        now = time.monotonic()
        failed = self.log.failed
        rows = []
        for name in self._services:
            began, last = self._spans[name]
            step = self.log.running(name) if code is None else None
            detail = " ".join(step.title.split()) if step else ""
            over = code is not None or self.log.finished(name)
            state = "done" if over else "building"
            if code and (failed is None or failed.service == name):
                state = "failed"
            since = (last if over else now) - began
            rows.append(ServiceProgress(name, state, detail, since))  # type: ignore[arg-type]
        return rows

    def _opened(self) -> contextlib.AbstractContextManager[TextIOWrapper]:
        path = self._project.state / LOG
        path.unlink(missing_ok=True)
        descriptor = files.create_private(path)
        # Line by line: whoever waits for a slow step reads it meanwhile.
        return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace")


def _told(step: Step) -> str:
    how = {"cached": "cached", "failed": "failed", "cancelled": "cancelled"}
    return f"{' '.join(step.title.split())}: {how.get(step.state) or f'{step.seconds:.1f} s'}"

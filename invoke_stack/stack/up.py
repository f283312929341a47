"""Bringing the stack up: look, check, plan, act, wait, look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from invoke_stack import events
from invoke_stack.compose import commands, families
from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines import opening
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.engines.embedded.engine import Embedded
from invoke_stack.engines.engine import Engine
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.images import targets as builds
from invoke_stack.project import Project
from invoke_stack.stack import admission, blanks, images, known, override, preflight, state, status
from invoke_stack.stack.embedded import taking
from invoke_stack.stack.embedded import up as embedded
from invoke_stack.stack.known import Known
from invoke_stack.stack.status import Url
from invoke_stack.stack.waiting import Watch

INTERRUPTED = "what was started goes on: inv stack.up waits for it, inv stack.down removes it"


@dataclass(frozen=True, slots=True)
class Request:
    """What `stack.up` was asked for."""

    services: tuple[str, ...] = ()
    build: bool = False
    pull: bool = False
    recreate: bool = False
    timeout_s: int = 0
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Up:
    """A stack that is up.

    Attributes:
        origins: number of values by origin (a file's name, "compose", "process", …).
        early: the engine probes faster while services start.
        declared: what the files say, for whoever looks at the stack next: reading it is dear.
    """

    project: str
    mode: str
    services: tuple[str, ...]
    urls: tuple[Url, ...]
    origins: Mapping[str, int]
    early: bool
    declared: Declared = field(repr=False, compare=False)


def up(project: Project, request: Request, report: events.Report = events.silent) -> Up:
    """Start the services of a mode and wait until they are ready.

    Raises:
        UsageError: something the user has to correct first; nothing was changed.
        UnreachableError: no engine, or a service that did not become healthy.
        StackError: a pull, a build or a service failed.
        RefusedError: the project's name belongs to another folder.
        BusyError: another `stack.up` of this project runs.
    """
    ahead = opening.Ahead(project)
    declared = loading.load(project, meanwhile=ahead.look)
    wanted = preflight.services(declared, request.services)
    preflight.variables(project, declared)
    for note in (*declared.env.notes, *preflight.env_files(project, declared, wanted)):
        report(events.Note(note))
    choice = ahead.choice(report)
    if choice.name == "docker":
        taking.require_none(project)
        preflight.compose_version(project)
    with opening.open(project, choice=choice) as engine, project.alone("stack.up"):
        if isinstance(engine, Embedded):
            return _embedded(project, declared, engine, request, report, wanted)
        ours = Known(declared.name, declared.files.folder, declared.model, declared)
        before = known.containers(project, ours, engine)
        run = _Run(project, declared, engine, request, report, wanted, before)
        run.check()
        try:
            run.provide_images()
            run.switch_mode()
            run.start()
        except KeyboardInterrupt:
            report(events.Note(INTERRUPTED))
            raise
        return run.result()


def _embedded(  # noqa: PLR0913 - as `_Run`
    project: Project,
    declared: Declared,
    engine: Embedded,
    request: Request,
    report: events.Report,
    wanted: tuple[str, ...],
) -> Up:
    """Start what the embedded engine runs of the wanted services."""
    if request.build or request.pull:
        report(events.Note("images need Docker: nothing is built or pulled"))
    blanks.warn(declared, report)
    run = embedded.bringing(
        project,
        declared,
        engine,
        wanted,
        report,
        recreate=request.recreate,
        timeout_s=request.timeout_s,
        strict=request.strict,
    )
    try:
        run.run()
    except KeyboardInterrupt:
        report(events.Note(INTERRUPTED))
        raise
    return _result(project, declared, engine, run.names, early=True)


def _result(
    project: Project,
    declared: Declared,
    engine: Engine,
    services: tuple[str, ...],
    *,
    early: bool,
) -> Up:
    """Remember what is up, look again and return it."""
    name, mode, folder = declared.name, declared.mode.name, declared.files.folder
    if not project.dry:
        state.remember(project, name=name, mode=mode, folder=folder, engine=engine.name)
    found = engine.containers(name)
    return Up(
        project=name,
        mode=mode,
        services=services,
        urls=status.urls(declared.model, found, engine.endpoint.host),
        origins=declared.env.counts(),
        early=early,
        declared=declared,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """One `stack.up` between its checks and its result."""

    project: Project
    declared: Declared
    engine: Docker
    request: Request
    report: events.Report
    wanted: tuple[str, ...]
    before: tuple[Container, ...]

    def check(self) -> None:
        """Refuse before anything is changed."""
        blanks.warn(self.declared, self.report)
        blanks.passwords(self.declared, self.engine, self.before, self.wanted)
        preflight.published(self.project, self.declared, self.engine, self.wanted)
        preflight.disk(self.engine)
        preflight.doubled(self.project, self.declared, self.report)

    def provide_images(self) -> None:
        """Pull and build what is missing or was made for another mode."""
        needed = images.needed(
            self.project,
            self.declared,
            self.engine,
            self.wanted,
            build=self.request.build,
            pull=self.request.pull,
        )
        if not needed.build and not needed.pull:
            return
        built = builds.find(self.project, self.declared, needed.build) if needed.build else ()
        with (
            override.applied(self.project, self.declared, {}, self.report) as plain,
            builds.completed(self.project, plain, built) as call,
        ):
            images.provide(self.project, call, needed, self.report)
        if not self.project.dry:
            images.remember(self.project, self.declared, self.engine, needed.build)

    def switch_mode(self) -> None:
        """Say what another mode changes, and remove by name the services that it lacks."""
        mode = self.declared.mode.name
        running = state.running_mode(self.project, self.before)
        extra = preflight.orphans(self.declared, self.before)
        if not running or running == mode:
            if extra:
                self.report(
                    events.Note(f"left alone, not in this mode's files: {', '.join(extra)}")
                )
            return
        self.report(events.Note(f"switching from {running} to {mode}"))
        if extra and not self.request.services:
            self.report(events.Step(f"removing {', '.join(extra)} (not in {mode})"))
            command = commands.by_name(self.declared.name, "rm", "--stop", "--force", *extra)
            done = self.project.runner.capture(command)
            done.require("docker compose rm", "could not remove what the mode lacks")

    def start(self) -> None:
        """Create and start the services and wait until each is ready."""
        checks = images.checks(self.declared, self.engine, self.wanted)
        fast = checks if self.project.settings.override and self.engine.probes_early else {}
        if checks and not self.engine.probes_early:
            self.report(
                events.Note(
                    "this engine cannot probe faster while services start: Docker Engine 25 can"
                )
            )
        names = ", ".join(self.wanted)
        with override.applied(self.project, self.declared, fast, self.report) as call:
            self.report(events.Step(f"starting {names} ({self.declared.mode.name})"))
            command = commands.up(call, self.request.services, recreate=self.request.recreate)
            with self.project.runner.start(command) as starting:
                if self.project.dry:
                    return
                try:
                    self._watch(checks).until_ready(starting)
                except StackError:
                    self._check_logins()  # the likely reason, before the error
                    raise
                self._check_logins()

    def _watch(self, checks: Mapping[str, HealthCheck]) -> Watch:
        return Watch(
            self.engine,
            self.declared.name,
            self.wanted,
            checks,
            before=self.before,
            databases=self._databases(),
            timeout_s=self.request.timeout_s or self.project.settings.timeout,
            report=self.report,
        )

    def _check_logins(self) -> None:
        old = {each.id for each in self.before}
        admission.check(
            self.project, self.declared, self.engine, self._databases(), old, self.report
        )

    def _databases(self) -> tuple[str, ...]:
        services = self.declared.model.services
        return tuple(name for name in self.wanted if families.is_database(services[name]))

    def result(self) -> Up:
        """Remember what is up, look again and return it."""
        early = self.engine.probes_early
        return _result(self.project, self.declared, self.engine, self.wanted, early=early)

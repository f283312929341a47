"""Building the images of a mode: what Compose would build, watched and weighed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from invoke_stack import events
from invoke_stack.compose import commands
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.dockerfile.model import Stage
from invoke_stack.engines import docker
from invoke_stack.engines.docker import Docker
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.findings.model import Finding, Report
from invoke_stack.images import arguments, budget, failed, layers, record, rules, targets
from invoke_stack.images.buildlog import BuildLog
from invoke_stack.images.layers import Image
from invoke_stack.images.record import Change
from invoke_stack.images.targets import Target
from invoke_stack.images.watch import Watch
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.stack import images as stored
from invoke_stack.stack import override, preflight

SHARED = "shared"
"""Stands for the stage of a step that another service's stage has, too."""

UNREAD = "steps"
"""Stands for the stages of a Dockerfile that is not on this machine."""


@dataclass(frozen=True, slots=True)
class Request:
    """What `image.build` was asked for."""

    services: tuple[str, ...] = ()
    cache: bool = True
    platforms: tuple[str, ...] = ()
    push: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """How many steps of a stage came from the cache.

    Attributes:
        stage: in BuildKit's words; "" where it names none.
        label: the stage for people: one without a name is known by its base image.
    """

    stage: str
    cached: int
    steps: int
    label: str


@dataclass(frozen=True, slots=True)
class Built:
    """One image that was built.

    Attributes:
        seconds: from the first to the last step of this service.
        delta: bytes more than in the build before; None for the first one.
        changes: the instructions that make the difference.
    """

    image: Image
    seconds: float
    delta: int | None
    changes: tuple[Change, ...]
    hits: tuple[Hits, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run built, how long all of it took, and what is wrong with it."""

    mode: str
    seconds: float
    images: tuple[Built, ...]
    report: Report


def build(
    project: Project, request: Request, report: events.Report = events.silent
) -> Outcome | None:
    """Build the images of a mode exactly as Compose would; None for a dry run.

    Raises:
        UsageError: no such service, nothing to build, a missing variable, a broken budget.
        UnreachableError: no engine answers.
        StackError: the build failed: the step, its Dockerfile line and what it printed last.
        BusyError: another build or `stack.up` of this project runs.
    """
    declared = loading.load(project)
    wanted = _wanted(project, declared, request, report)
    with project.alone("image.build"):
        began = time.time()
        with (
            override.applied(project, declared, {}, report) as plain,
            targets.completed(project, plain, wanted, request.platforms) as call,
        ):
            watch, code, where = _run(project, call, wanted, request, report)
        if project.dry:
            return None
        span = (began, time.time())
        with docker.connect(project, where=where.result()) as engine:
            if code:  # of an engine that does not answer, connecting tells more
                raise failed.error(wanted, watch)
            found = _finished(project, declared, engine, wanted, watch, span)
    findings = tuple(_findings(project, declared, wanted, found))
    whole = Report(findings, rules=rules.rules("IMG114", "IMG201"))
    return Outcome(declared.mode.name, span[1] - span[0], found, whole)


def _wanted(
    project: Project, declared: Declared, request: Request, report: events.Report
) -> tuple[Target, ...]:
    """Return what to build, after everything that can be refused beforehand."""
    wanted = targets.find(project, declared, request.services)
    preflight.variables(project, declared)
    for each in wanted:
        budget.of(project, each.name)
        if each.public:
            report(events.Note(f"{each.name}: from the env: {', '.join(each.public)}"))
    return wanted


def command(call: ComposeCall, request: Request, services: Sequence[str]) -> Command:
    """Return the Compose call that builds."""
    flags = [] if request.cache else ["--no-cache"]
    flags += ["--push"] if request.push else []
    return commands.build(call, services, *flags)


def _run(
    project: Project,
    call: ComposeCall,
    wanted: Sequence[Target],
    request: Request,
    report: events.Report,
) -> tuple[Watch, int, Future[Endpoint]]:
    """Follow Compose's build to its end; look for the engine meanwhile."""
    names = [each.name for each in wanted]
    report(events.Step(f"building {', '.join(names)}"))
    watch = Watch(project, names, report)
    with (
        project.runner.start(command(call, request, names)) as running,
        ThreadPoolExecutor(1) as beside,
    ):
        where = beside.submit(docker.prepared, project)
        code = watch.follow(running)
        watch.tail = running.tail
    return watch, code, where


def _built(engine: Docker, target: Target, watch: Watch, before: Image | None) -> Built:
    image = layers.read(engine, target)
    return Built(
        image=image,
        seconds=watch.seconds(target.name),
        delta=image.bytes - before.bytes if before else None,
        changes=record.changes(before, image) if before else (),
        hits=hits(target, watch.log),
    )


def hits(target: Target, log: BuildLog) -> tuple[Hits, ...]:
    """Return the cache hits of a service by stage.

    A step that two services share is told with the stage of one of them.
    """
    known = target.source.stages
    counted: dict[str, Hits] = {}
    for stage, cached, steps in log.hits(target.name):
        name = stage if not known or stage in known else SHARED if "" not in known else ""
        before = counted.get(name, Hits(name, 0, 0, _label(name, known.get(name))))
        total = before.cached + cached, before.steps + steps
        counted[name] = Hits(name, *total, before.label)
    return tuple(counted.values())


def _label(name: str, stage: Stage | None) -> str:
    """Return what people call a stage that BuildKit calls ``name``."""
    if stage is None:
        return name or UNREAD
    base = stage.image.partition("@")[0]
    return stage.name or (f"{name} ({base})" if name else base)


def _finished(  # noqa: PLR0913 - what a build leaves behind
    project: Project,
    declared: Declared,
    engine: Docker,
    wanted: Sequence[Target],
    watch: Watch,
    span: tuple[float, float],
) -> tuple[Built, ...]:
    """Return what was built, compared with the builds before, and write it down."""
    mode = declared.mode.name
    found = tuple(
        _built(engine, each, watch, record.previous(project, each.name, mode)) for each in wanted
    )
    images = [each.image for each in found]
    record.remember(project, mode, images, _made(wanted, watch.log), span)
    stored.remember(project, declared, engine, [each.service for each in images])
    return found


def _made(wanted: Sequence[Target], log: BuildLog) -> list[str]:
    """Return the instructions that were run, in the words of the build cache."""
    sources = {each.name: each.source for each in wanted}
    made: list[str] = []
    for step in log.steps:
        if step.instruction and step.state == "done" and step.service in sources:
            # The cache tells of a RUN as it is written, of a COPY with its arguments filled in.
            own = sources[step.service].instruction(step)
            made += [step.text, f"{own.name} {' '.join(own.args)}" if own else step.text]
    return made


def _findings(
    project: Project, declared: Declared, wanted: Sequence[Target], found: Sequence[Built]
) -> Iterator[Finding]:
    secrets = frozenset(declared.env.secrets())
    compose = project.shown(declared.files.paths[-1])
    for target, each in zip(wanted, found, strict=True):
        yield from arguments.check(target, secrets, compose)
        if over := budget.check(project, each.image, target.source):
            yield over


def platforms(text: str) -> tuple[str, ...]:
    """Return the platforms of a `--platform` flag: `linux/amd64,linux/arm64`."""
    return tuple(part.strip() for part in text.split(",") if part.strip())

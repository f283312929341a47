"""`image.check`: what is wrong with the built images, found without running them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose.tolerant import mapping
from invoke_stack.engines import docker
from invoke_stack.engines.docker import Docker
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared, service_values, stack_view
from invoke_stack.findings import suppression
from invoke_stack.findings.model import Remark, Report, combined
from invoke_stack.images import archive, budget, health, layers, targets, trial, zstd
from invoke_stack.images.checks import dockerfiles, inside, running, starting
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.contents import Contents, Gatherer
from invoke_stack.images.layers import Image
from invoke_stack.images.needles import Needles
from invoke_stack.images.rules import rules
from invoke_stack.images.targets import Target
from invoke_stack.project import Project
from invoke_stack.stack import images as stored

MARKER = "image"
"""The word of a suppression: `# image: ignore[IMG101] -- reason`."""

FAULTY = "IMG100"
_RULES = rules("IMG1", "IMG201")
# With a wrong target these judge a stage that nobody means to ship.
_OF_THE_STAGE = frozenset(
    {"IMG101", "IMG102", "IMG104", "IMG106", "IMG109", "IMG116", "IMG117", "IMG201"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """What `image.check` was asked for; ``run`` tries each image hardened for a few seconds."""

    services: tuple[str, ...] = ()
    run: bool = False


def check(
    project: Project,
    request: Request,
    today: date,
    report: events.Report = events.silent,
) -> Report:
    """Return what is wrong with the images of a mode; no text in it holds a secret.

    Args:
        project: whose mode decides which images.
        request: which services, and whether to run them.
        today: the date that suppressions are judged by.
        report: told which image is read.

    Raises:
        UsageError: an unknown service, an image that was never built.
        UnreachableError: no engine answers.
    """
    declared = loading.load(project)
    wanted = targets.find(project, declared, request.services)
    found = []
    with docker.connect(project) as engine:
        for target in wanted:
            report(events.Step(f"reading {target.tag}"))
            image = layers.read(engine, target)
            stored.warn_elsewhere(project, declared, target.service, image.id, report)
            subject = inspected(project, declared, engine, target, image)
            found.append(_checked(project, subject, image))
            if request.run:
                found.append(trial.check(project, subject, report))
    whole = combined(found)
    complete = Report(whole.findings, _passes(whole, request), whole.unknowns, rules=_RULES)
    return suppression.applied(
        complete,
        [
            *(each for text in _texts(project, declared, wanted) for each in text),
            *suppression.settled(project.settings.image.accept, "stack.image.accept"),
        ],
        rule=FAULTY,
        today=today,
        checked={each.id for each in _RULES} - (set() if request.run else {"IMG118"}),
    )


def inspected(
    project: Project, declared: Declared, engine: Docker, target: Target, image: Image
) -> Subject:
    """Return an image with everything that the rules look at; its stream is read once."""
    config = mapping((engine.image(image.id) or {}).get("Config"))
    secrets = _secrets(project, declared, target)
    gatherer = Gatherer(Needles(secrets.items()), _scripts(target, config))
    contents = gatherer.finished(
        archive.walk(engine.archive(image.id), gatherer.look, zstd.unpacker(project))
    )
    return Subject(
        target=target,
        image=layers.told_by(image, contents.archive.config, target),
        config=config,
        contents=contents,
        environment=_environment(project, declared, target, config),
        secrets=secrets,
        compose=project.shown(declared.files.paths[-1]),
        production=declared.mode.node == "production",
        asked=health.path(project, declared, target),
    )


def _checked(project: Project, subject: Subject, image: Image) -> Report:
    found = [
        *running.check(subject),
        *starting.check(subject),
        *inside.check(subject),
        *dockerfiles.check(subject),
    ]
    if over := budget.check(project, image, subject.target.source):
        found.append(over)
    if any(each.rule == "IMG105" for each in found):
        found = [each for each in found if each.rule not in _OF_THE_STAGE]
    return Report(tuple(dict.fromkeys(found)), unknowns=tuple(_unknown(subject)))


def _unknown(subject: Subject) -> Iterator[Remark]:
    contents: Contents = subject.contents
    if contents.unread:
        message = f"{contents.unread} layers are compressed with zstd and were not read"
        yield Remark("IMG113", subject.name, message, zstd.INSTALL)
    if subject.target.source.dockerfile is None:
        message = f"the Dockerfile {subject.target.source.file} could not be read"
        yield Remark("IMG105", subject.name, message, "the findings name no lines")


def _passes(report: Report, request: Request) -> tuple[Remark, ...]:
    told = {each.rule for each in report.findings} | {each.rule for each in report.unknowns}
    told |= {FAULTY}
    told |= set() if request.run else {"IMG118"}
    return tuple(
        Remark(rule.id, MARKER, f"not found: {rule.title}")
        for rule in _RULES
        if rule.id not in told
    )


def _secrets(project: Project, declared: Declared, target: Target) -> Mapping[str, str]:
    values = {k: v.text for k, v in declared.env.values.items() if v.sensitive and v.text}
    if target.service.env_files:
        own = service_values(project, declared, target.service)
        values |= {k: v.text for k, v in own.values.items() if v.sensitive and v.text}
    return values


def _environment(
    project: Project, declared: Declared, target: Target, config: Mapping[str, object]
) -> Mapping[str, str]:
    """Return what a container of the service gets: the image's, the env files', the stack's."""
    pairs = config.get("Env")
    found = dict(str(p).partition("=")[::2] for p in pairs) if isinstance(pairs, list) else {}
    service = target.service
    if service.env_files:
        own = service_values(project, declared, service)
        found |= stack_view(project, own.exported(), own, declared.model.ports())
    named = ((key, value) for key, value in service.environment.items())
    return found | {k: declared.environ.get(k, "") if v is None else v for k, v in named}


def _scripts(target: Target, config: Mapping[str, object]) -> Sequence[str]:
    """Return the paths of scripts that the start command may run."""
    words: list[str] = []
    for value in (config.get("Entrypoint"), config.get("Cmd")):
        words += [str(each) for each in value] if isinstance(value, list) else []
    words += [*(target.service.entrypoint or ()), *(target.service.command or ())]
    folder = str(config.get("WorkingDir") or "/")
    names = [part for word in words for part in word.split()]
    paths = [posixpath.normpath(posixpath.join(folder, each)) for each in names]
    plain = [n for n in names if "/" not in n]
    return [*paths, *(f"{each}/{n}" for each in ("/usr/local/bin", "/usr/bin") for n in plain)]


def _texts(
    project: Project, declared: Declared, wanted: Sequence[Target]
) -> Iterator[Sequence[suppression.Acceptance]]:
    """Yield the acceptances that the comments of the Dockerfiles and compose files make."""
    sources = {each.source.file: each.source.text for each in wanted if not each.source.inline}
    for path in declared.files.paths:
        sources[project.shown(path)] = Path(path).read_text(encoding="utf-8", errors="replace")
    for file, text in sources.items():
        yield tuple(suppression.comments(text, file, MARKER))

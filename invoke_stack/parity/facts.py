"""The facts that rules look at: both sides read, paired, and what the repository says besides."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from invoke_stack.errors import StackError, UsageError
from invoke_stack.parity import pairing
from invoke_stack.parity.declaration import Declaration, Options, Problem, Reader
from invoke_stack.parity.readers import languages, packages, prisma, stacks, templates
from invoke_stack.parity.readers.compose import ComposeReader
from invoke_stack.parity.readers.external import with_external
from invoke_stack.parity.readers.hostrun import with_host_run
from invoke_stack.parity.readers.loading import reader_objects
from invoke_stack.parity.readers.render import RenderReader
from invoke_stack.parity.readers.stacks import Stack
from invoke_stack.parity.repository import Candidate, Facts, Repository
from invoke_stack.parity.showing import document
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace, normal
from invoke_stack.project import Project

__all__ = ["document", "gather"]

_OTHERS = {
    "fly.toml": "fly", "railway.toml": "railway", "railway.json": "railway",
    "app.yaml": "digitalocean",
    "deploy.template.yaml": "digitalocean", "Procfile": "heroku", "heroku.yml": "heroku",
}  # fmt: skip


def gather(project: Project) -> Facts:
    """Return everything that rules look at.

    Raises:
        UsageError: nothing describes production or the local stack, or a setting names what is
            not there.
    """
    workspace = Workspace(project)
    repository = read_repository(workspace)
    readers = _readers(project)
    production, reader, files = _production(project, workspace, readers)
    own = set(production.layers)
    # What production adds to a shared base is its own; the base is the local stack's too.
    without = files[1:] or files
    known = stacks.found(workspace, without if reader.name == "compose" else ())
    layers = _layers(project, workspace, known, production)
    layers = {name: with_host_run(repository, production, each) for name, each in layers.items()}
    production = with_external(repository, production)
    used = {file for each in layers.values() for file in each.layers}
    local = layers.get("prod") or layers["base"]
    pairs = pairing.pair(production, local, project.settings.parity.map)
    problems = [*repository.problems, *production.problems]
    problems += [problem for each in layers.values() for problem in each.problems]
    return Facts(
        repository, production, layers, pairs,
        targets=tuple(_targets(workspace, readers, own, layers)),
        stacks=tuple(_beside(known, used)),
        answers={key: str(value) for key, value in project.settings.parity.facts.items()},
        problems=tuple({(each.src.file, each.message): each for each in problems}.values()),
    )  # fmt: skip


def read_repository(workspace: Workspace) -> Repository:
    """Return what the repository says, whoever deploys it."""
    found, broken = packages.read(workspace)
    known, unread = templates.read(workspace)
    schemas = prisma.read(workspace, found)
    dockerfiles, unparsed = {}, []
    for path in sorted(workspace.files):
        if not _is_dockerfile(path):
            continue
        try:
            dockerfiles[path] = workspace.dockerfile(path)
        except StackError as problem:
            where, _, line = problem.where.rpartition(":")
            src = Src(where, int(line)) if line.isdecimal() else Src(path)
            unparsed.append(Problem(src, problem.message, problem.hint, "this Dockerfile"))
    return Repository(
        workspace, found, dockerfiles, schemas, known,
        prisma.migrations(workspace, found, schemas), languages.read(workspace, found),
        (*broken, *unread, *unparsed),
    )  # fmt: skip


def _is_dockerfile(path: str) -> bool:
    name = posixpath.basename(path)
    if name.endswith(
        (".dockerignore", ".md", ".yml", ".yaml", ".sh", ".j2", ".tmpl", ".tpl", ".erb")
    ):
        return False
    return name == "Dockerfile" or name.startswith("Dockerfile.") or name.endswith(".Dockerfile")


def _readers(project: Project) -> tuple[Reader, ...]:
    return (*reader_objects(project.settings.parity.readers), RenderReader(), ComposeReader())


def _production(
    project: Project, workspace: Workspace, readers: Sequence[Reader]
) -> tuple[Declaration, Reader, tuple[str, ...]]:
    settings = project.settings.parity.production
    files = tuple(normal(each) for each in settings.files)
    for file in files:
        if file not in workspace.files:
            hint = "correct the name there; files that git ignores do not count"
            raise UsageError("stack.parity.production.files", f"{file} does not exist", hint=hint)
    names = [each.name for each in readers]
    if settings.reader and settings.reader not in names:
        hint = f"known: {', '.join(names)}"
        raise UsageError(
            "stack.parity.production.reader", f"no reader {settings.reader}", hint=hint
        )
    for reader in readers:
        if settings.reader not in {"", reader.name}:
            continue
        detected = reader.detect(workspace)
        chosen = files or _whole(workspace, reader, detected)
        fits = settings.reader or not files or files[0] in detected or reader.name == "compose"
        if chosen and fits:
            options = Options("production", settings.environment, _templates(project))
            return reader.read(workspace, chosen, options), reader, chosen
    raise UsageError(
        project.root.name, "nothing here describes production",
        hint="looked for render.yaml and docker-compose.prod.yml; name another file in "
        "stack.parity.production.files",
    )  # fmt: skip


def _templates(project: Project) -> dict[str, str]:
    """Return what makes which env file, as far as the project says so, by env file."""
    return {made: template for template, made in project.settings.env.templates.items()}


def _whole(workspace: Workspace, reader: Reader, detected: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files to read: an override of Compose needs its base."""
    if reader.name != "compose" or not detected:
        return detected[:1]
    for stack in stacks.found(workspace):
        if detected[0] in stack.prod:
            return stack.prod
    return detected[:1]


def _layers(
    project: Project, workspace: Workspace, known: Sequence[Stack], production: Declaration
) -> dict[str, Declaration]:
    files = dict(_chosen(project, workspace, known, production))
    options = Options("local", "", _templates(project))
    reader = ComposeReader()
    # Compose's own time is most of it, and each layer waits for its own.
    with ThreadPoolExecutor(max_workers=len(files)) as pool:
        jobs = {
            name: pool.submit(reader.read, workspace, each, options) for name, each in files.items()
        }
        return {name: job.result() for name, job in jobs.items()}


def _chosen(
    project: Project, workspace: Workspace, known: Sequence[Stack], production: Declaration
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the layers and their files: what the settings say, else the likeliest stack."""
    local = project.settings.parity.local
    base, dev, prod = (
        tuple(normal(each) for each in names) for names in (local.base, local.dev, local.prod)
    )
    for file in (*base, *dev, *prod):
        if file not in workspace.files:
            raise UsageError(
                "stack.parity.local", f"{file} does not exist", hint="correct the name"
            )
    if base or dev or prod:
        yield "base", base or dev or prod
        yield from ((name, (*base, *more)) for name, more in (("dev", dev), ("prod", prod)) if more)
        return
    stack = stacks.best(known, production)
    if stack is None:
        raise UsageError(
            project.root.name, "no local stack to compare with",
            hint="looked for compose.yaml and docker-compose.yml, three folders deep; name the "
            "files in stack.parity.local.base",
        )  # fmt: skip
    yield "base", stack.base
    yield from ((name, each) for name, each in (("dev", stack.dev), ("prod", stack.prod)) if each)


def _targets(
    workspace: Workspace, readers: Sequence[Reader], own: set[str], layers: Mapping[str, Any]
) -> Iterator[Candidate]:
    """Yield other descriptions of production; an override of the local stack is none."""
    overrides = {each.layers[1] for each in layers.values() if len(each.layers) > 1}
    for reader in readers:
        for file in reader.detect(workspace):
            alone = reader.name != "compose" or stacks.standalone(workspace, file)
            if file not in own and file not in overrides and alone:
                yield Candidate(reader.name, (file,))
    for file in workspace.named(*_OTHERS):
        folder = posixpath.dirname(file)
        if file not in own and (not folder or folder == ".do"):
            yield Candidate(_OTHERS[posixpath.basename(file)], (file,))


def _beside(known: Sequence[Stack], used: set[str]) -> Iterator[Candidate]:
    for each in known:
        if not used & set(each.base):
            files = tuple(dict.fromkeys((*each.base, *each.dev, *each.prod)))
            yield Candidate("compose", files, each.builds)

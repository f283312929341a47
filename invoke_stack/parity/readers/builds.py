"""How an image is built, and what that says about the process that runs it."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from invoke_stack.dockerfile.build import ports
from invoke_stack.dockerfile.model import Copy, Dockerfile, Instruction
from invoke_stack.dockerfile.parser import parse
from invoke_stack.errors import StackError
from invoke_stack.parity.declaration import Build, Problem
from invoke_stack.parity.parts import EnvVar, Probe, Step
from invoke_stack.parity.readers import images, probes, scripts
from invoke_stack.parity.readers.env import variable
from invoke_stack.parity.readers.scripts import Where
from invoke_stack.parity.repository import Package
from invoke_stack.parity.values import ABSENT, Src, Val, Version
from invoke_stack.parity.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """What readers need beside their own files."""

    workspace: Workspace
    packages: Mapping[str, Package]


def build(  # noqa: PLR0913 - a build has that many parts
    source: Source,
    context: Val[str],
    dockerfile: Val[str],
    target: Val[str] = ABSENT,
    args: Mapping[str, EnvVar] | None = None,
    inline: str = "",
) -> tuple[Build, tuple[Problem, ...]]:
    """Return a build with its Dockerfile read, and what could not be read of it."""
    args = args or {}
    problems: tuple[Problem, ...] = ()
    parsed: Dockerfile | None = None
    path = dockerfile.value or ""
    given = {key: each.value for key, each in args.items() if each.value is not None}
    try:
        if inline:
            parsed = parse(inline, dockerfile.src.file, given)
        elif path in source.workspace.files:
            parsed = source.workspace.dockerfile(path)
            if given:
                parsed = parse(source.workspace.text(path), path, given)
    except StackError as problem:
        where, _, line = problem.where.rpartition(":")
        src = Src(where, int(line)) if line.isdecimal() else Src(problem.where)
        skipped = "everything that depends on this Dockerfile"
        problems = (Problem(src, problem.message, problem.hint, skipped),)
    stage = parsed.stage(target.value or "") if parsed is not None else None
    made = Build(context, dockerfile, target, dict(args), parsed, stage, inline=bool(inline))
    return made, problems


def base_image(made: Build) -> Val[str]:
    """Return the image that the built stage starts from."""
    if made.parsed is None or made.stage is None:
        return ABSENT
    root = made.parsed.root(made.stage)
    src = Src(made.parsed.file, root.line, "FROM")
    return Val(root.image, src, "declared" if root.known else "unknown")


def image_env(made: Build) -> dict[str, EnvVar]:
    """Return the variables that the image itself sets."""
    if made.parsed is None or made.stage is None:
        return {}
    found = made.parsed.env(made.stage)
    file = made.parsed.file
    return {
        key: variable(key, word.value if word.known else None, Src(file, word.line, "ENV"), "image")
        for key, word in found.items()
    }


def port(made: Build) -> Val[int]:
    """Return the first exposed port."""
    if made.parsed is None or made.stage is None:
        return Val(None)
    for word in made.parsed.expose(made.stage):
        for number in ports((word,)):
            return Val(number, Src(made.parsed.file, word.line, "EXPOSE"), "inferred")
    return Val(None)


def health(made: Build, *, shadowed: bool) -> tuple[Probe, ...]:
    """Return the image's own check."""
    if made.parsed is None or made.stage is None:
        return ()
    found = made.parsed.health(made.stage)
    return (probes.of_image(found, made.parsed.file, shadowed=shadowed),) if found else ()


def language(made: Build) -> dict[str, Val[Version]]:
    """Return the language that the built stage's base image brings."""
    image = base_image(made)
    found = images.language(image.value, image.src) if image.value else None
    return dict([found]) if found else {}


def where(source: Source, made: Build | None) -> Where:
    """Return where the commands of a built image run: its working folder, from the root."""
    if made is None:
        return Where(source.workspace, source.packages)
    context = made.context.value or "."
    copies = tuple(_copies(made))
    return Where(source.workspace, source.packages, _folder(made, context), copies, context)


def _copies(made: Build) -> Iterator[Copy]:
    for stage in made.parsed.stages if made.parsed is not None else ():
        yield from stage.copies


def _folder(made: Build, context: str) -> str:
    """Return the repository's folder that the image's working folder holds."""
    if made.parsed is None or made.stage is None:
        return context
    here = made.parsed.workdir(made.stage)
    path = (here.value if here else None) or "/"
    for copy in reversed(list(_copies(made))):
        target = copy.target.rstrip("/")
        if target == path and len(copy.sources) == 1 and copy.sources[0] in {".", "./"}:
            return context
        if target and path.startswith(f"{target}/") and copy.sources in {(".",), ("./",)}:
            return posixpath.normpath(posixpath.join(context, path[len(target) + 1 :]))
    return context


def start_steps(
    source: Source,
    made: Build | None,
    entrypoint: tuple[str, ...] | None = None,
    command: tuple[str, ...] | None = None,
    src: Src | None = None,
) -> tuple[Step, ...]:
    """Return what a container runs.

    Args:
        source: the repository.
        made: how its image is built; None for a pulled one.
        entrypoint: Compose's own, as words.
        command: Compose's or the platform's own, as words.
        src: where that stands.
    """
    place = where(source, made)
    own, cmd, at = _of_image(made)
    if entrypoint is not None:
        own, cmd, at = entrypoint, (), src or at
    if command is not None:
        cmd, at = command, src or at
    words = (*own, *cmd)
    if not words or at is None:
        return ()
    return scripts.exec_steps(place, words, at)


def _of_image(made: Build | None) -> tuple[tuple[str, ...], tuple[str, ...], Src | None]:
    if made is None or made.parsed is None or made.stage is None:
        return (), (), None
    file = made.parsed.file
    entry, cmd = made.parsed.entrypoint(made.stage), made.parsed.cmd(made.stage)
    last = cmd or entry
    src = Src(file, last.line, last.name) if last else None
    # In shell form an ENTRYPOINT takes no arguments.
    shell_entry = entry is not None and not entry.exec
    return _argv(entry), () if shell_entry else _argv(cmd), src


def _argv(each: Instruction | None) -> tuple[str, ...]:
    if each is None:
        return ()
    return each.args if each.exec else ("sh", "-c", " ".join(each.args))


def words(value: object) -> tuple[str, ...] | None:
    """Return a Compose `command:` or `entrypoint:` as words; None where none is given."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value))
        except ValueError:
            return tuple(value.split())
    return tuple(str(each) for each in value) if isinstance(value, (list, tuple)) else None


_ENV_PORT = ("$PORT", "${PORT", "%PORT%", "process.env.PORT", 'environ["PORT"]', 'getenv("PORT")')
_READS_PORT = frozenset({
    "next", "nuxt", "remix-serve", "react-router-serve", "nest", "astro", "rails", "puma", "heroku",
    "gunicorn",
})  # fmt: skip


def binds_port_env(steps: tuple[Step, ...], env: Mapping[str, EnvVar]) -> Val[bool]:
    """Return whether the process listens on $PORT, as far as its commands tell."""
    serving = [each for each in steps if each.tag == "serve"]
    for each in serving:
        if any(mark in each.text for mark in _ENV_PORT):
            return Val(
                value=True, src=each.src, certainty="inferred", note="the command names $PORT"
            )
        first = posixpath.basename(each.words[0]) if each.words else ""
        if first in _READS_PORT:
            return Val(value=True, src=each.src, certainty="inferred", note=f"{first} reads $PORT")
    if "PORT" in env and env["PORT"].origin == "image":
        return Val(
            value=True, src=env["PORT"].src, certainty="inferred", note="the image sets PORT"
        )
    return Val(None, serving[0].src if serving else Src(""), "unknown")

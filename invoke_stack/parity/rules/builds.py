"""PAR501, 503 and 504: what is built, to which stage, and how it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from invoke_stack.parity.declaration import Build, Process
from invoke_stack.parity.pairing import Pair
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

_SCRIPT = re.compile(r"[\w./-]+\.(?:sh|js|mjs|cjs|ts|py|rb)")
_DEV = re.compile(
    r"\b(?:next dev|vite(?!\s+(?:build|preview))|nodemon|tsx watch|ts-node-dev|webpack serve|"
    r"runserver|--reload|turbo run dev|(?:npm|pnpm|yarn|bun)(?: run)? dev)\b"
)


@rule("PAR501", "File named in production does not exist", "error", "high")
def missing(facts: Facts) -> Iterator[Outcome]:
    """Look for every path that production names."""
    workspace = facts.repository.workspace
    for process in facts.production.processes.values():
        absent = []
        root = str(process.root.value or ".")
        if process.root.declared and not workspace.has(root):
            absent.append((root, process.root.src, "rootDir"))
        if process.build is not None and not process.build.inline:
            absent += _of_build(facts, process.build, root)
        else:
            absent += _of_commands(facts, process, root)
        for path, src, what in absent:
            message = f"{what} {path} of {process.name} does not exist"
            fix = _nearest(facts, path)
            yield Found(path, message, places([src if src.file else process.src]), fix)
        if not absent:
            yield Passed(process.name, "every path that production names exists")


def _of_build(facts: Facts, build: Build, root: str) -> Iterator[tuple[str, Src, str]]:
    workspace = facts.repository.workspace
    for found, what in ((build.dockerfile, "Dockerfile"), (build.context, "context")):
        path = str(found.value or ".")
        if not workspace.has(path) and not workspace.has(posixpath.join(root, path)):
            yield path, found.src, what


def _of_commands(facts: Facts, process: Process, root: str) -> Iterator[tuple[str, Src, str]]:
    """Yield scripts that a native command runs and the repository lacks."""
    if process.runtime.value not in sides.NATIVE:
        return
    made = {"dist", "build", ".next", "out", ".output", "lib", "target", "node_modules", "bin"}
    workspace = facts.repository.workspace
    for step in (*process.steps_build, *sides.steps(process)):
        runs = step.words[:1] in {("sh",), ("bash",), ("node",), ("python",), ("python3",)}
        for word in step.words[1:2] if runs else step.words[:1]:
            plain = posixpath.normpath(word)
            if not _SCRIPT.fullmatch(word) or plain.startswith("/") or made & set(plain.split("/")):
                continue
            if not any(workspace.has(posixpath.join(each, plain)) for each in (root, ".")):
                yield plain, step.src, "script"


def _nearest(facts: Facts, path: str) -> str:
    name = posixpath.basename(path)
    found = facts.repository.workspace.named(name) if name else ()
    return f"did you mean {found[0]}?" if found else f"add {path}, or correct the path"


@rule("PAR503", "Build target wrong", "error", "high")
def targets(facts: Facts) -> Iterator[Outcome]:
    """Check that the named stage exists and is the one that production builds."""
    for layer in sides.layers(facts):
        prodlike = layer is facts.local
        for process in sides.apps(layer):
            build = process.build
            if build is None or build.parsed is None or not build.target.value:
                continue
            target = build.target.value
            stage = build.parsed.stage(target)
            where = places((), [build.target])
            known = [each.name or str(each.index) for each in build.parsed.stages]
            last = build.parsed.last
            if stage is None:
                message = f"{build.dockerfile.value} has no stage {target}"
                yield Found(process.name, message, where, f"target: one of {', '.join(known)}")
            elif prodlike and stage is not last and _shared(facts, process):
                name = last.name or str(last.index) if last else ""
                message = f"local builds the stage {target}, production the last one ({name})"
                yield Found(process.name, message, where, f"target: {name}", "warning")
            elif prodlike:
                yield Passed(process.name, f"{target} is what production builds", where)
    yield from _dev_servers(facts)


def _shared(facts: Facts, process: Process) -> bool:
    """Tell whether production builds the same Dockerfile."""
    return any(
        pair.local is process and pair.production.build is not None
        for pair in facts.pairing.processes
    )


def _dev_servers(facts: Facts) -> Iterator[Outcome]:
    for process in facts.production.processes.values():
        for step in process.steps_start:
            if step.tag in {"serve", "other"} and _DEV.search(
                f"{step.text} {' '.join(step.words)}"
            ):
                message = f"production starts a development server: {step.text}"
                where = places([process.command.src, step.src, process.src])
                yield Found(process.name, message, where, "the server of the build", None, "medium")
                break


@rule("PAR504", "Production runs native, local runs a container", "warning", "high")
def runtimes(facts: Facts) -> Iterator[Outcome]:
    """Compare how both sides run the code."""
    seen = set()
    for pair in facts.pairing.processes:
        theirs, ours = pair.production.runtime, pair.local.runtime
        native = theirs.value in sides.NATIVE
        boxed = ours.value in sides.CONTAINER
        seen.add(pair.production.name)
        src = theirs.src if theirs.src.file else pair.production.src
        build = pair.local.build
        image = Src(str(build.dockerfile.value)) if build is not None else None
        where = places([src], [pair.local.src, image])
        if native and boxed:
            message = f"production runs on its own {theirs.value}, local in a container"
            yield Found(pair.production.name, message, where, _docker(facts, pair))
        elif theirs.value == "static" and boxed:
            message = "production serves files, local a container"
            yield Found(pair.production.name, message, where, "", "info")
        elif theirs.value in sides.CONTAINER and boxed:
            yield Passed(pair.production.name, "a container on both sides", where)
    for process in facts.production.processes.values():
        if process.runtime.value not in sides.NATIVE:
            continue
        files = sides.dockerfiles_of(facts, process)
        container = process.name in seen and not _host_run(facts, process)
        if files and not container:
            names = [each.file for each in files]
            message = f"production runs on its own {process.runtime.value} and never uses "
            message += ", ".join(names)
            where = places([process.runtime], [Src(each) for each in names])
            yield Found(process.name, message, where, "runtime: docker, or delete the Dockerfile")


def _host_run(facts: Facts, process: Process) -> bool:
    local = facts.pairing.local_of(process)
    return local is not None and local.host_run


def _docker(facts: Facts, pair: Pair) -> str:
    build = pair.local.build
    if facts.production.target == "render" and build is not None:
        return f"runtime: docker\ndockerfilePath: ./{build.dockerfile.value}"
    return "one runtime on both sides"

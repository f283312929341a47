"""PAR704: COPY and commands that name what cannot be there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Copy, Run
from invoke_stack.parity.declaration import Build, Process
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.rules.context import Shipped, contexts
from invoke_stack.parity.rules.shells import commands, followed
from invoke_stack.parity.rules.tree import GENERATED, Tree, context
from invoke_stack.parity.values import Src

_SHELL = re.compile(r"^(?:\|\||&&|2?>|true|;)$")
_SCRIPT = re.compile(r"[\w./-]+\.(?:sh|mjs|cjs|js|ts|py|rb)")
_INTERPRETERS = frozenset({"node", "sh", "bash", "python", "python3", "tsx"})
_HOOKS = ("preinstall", "install", "postinstall", "prepare")


@rule("PAR704", "COPY or command names a path that cannot exist", "error")
def absent(facts: Facts) -> Iterator[Outcome]:
    """Trace every COPY to where its source would have to come from."""
    for each in contexts(facts):
        found = [*_copies(each), *_hooks(facts, each)]
        yield from found
        if not found:
            yield Passed(each.path, "every COPY has its source")
    yield from _scripts(facts)


def _copies(each: Shipped) -> Iterator[Outcome]:
    for stage in each.tree.parsed.stages:
        for copy in stage.copies:
            place = places((), [Src(each.path, copy.line)])
            if any(_SHELL.match(source) for source in copy.sources):
                message = "COPY knows no shell: ||, && and > are file names to it"
                yield Found(each.path, message, place, "a pattern: COPY file* ./")
                continue
            for source in copy.sources:
                if each.tree.source(copy, source) is False:
                    text = f"{source} from {copy.origin}" if copy.origin else source
                    group = "copied, and cannot be there"
                    fix = _moved(each.tree, copy, source)
                    message = f"{text} ({each.path}:{copy.line})"
                    yield Found(each.path, message, place, fix, group=group)


def _moved(tree: Tree, copy: Copy, source: str) -> str:
    """Return the line with the one path of the repository that ends like a lost source."""
    parts = source.strip("./").split("/")
    workspace = tree.where.facts.repository.workspace
    known = workspace.files | workspace.folders
    for start in range(1 if copy.origin else 0, len(parts)):
        tail = "/".join(parts[start:])
        found = [each for each in known if each.endswith(f"/{tail}")]
        if len(found) == 1:
            head = "/" + "/".join(parts[:start]) if copy.origin else "."
            origin = f" --from={copy.origin}" if copy.origin else ""
            return f"{copy.name}{origin} {head}/{found[0]} {copy.target}"
    return f"{copy.name} with a path that is there, or without this line"


def _hooks(facts: Facts, each: Shipped) -> Iterator[Outcome]:
    """Yield installs whose `postinstall` generates from a schema that is not copied yet."""
    folder = each.tree.where.folder
    package = facts.repository.packages.get(folder)
    scripts = package.scripts if package else {}
    needs = [scripts[name] for name in _HOOKS
             if name in scripts and "prisma generate" in (scripts[name].value or "")]  # fmt: skip
    homes = {folder, ""}
    near = [one for one in facts.repository.schemas
            if posixpath.dirname(posixpath.dirname(one.file)) in homes]  # fmt: skip
    schema = near[0] if near else None
    if not needs or schema is None:
        return
    inner = posixpath.relpath(schema.file, folder)
    for stage in each.tree.parsed.stages:
        for run in stage.runs:
            wanted = posixpath.join(run.workdir, inner)
            if _installs(run) and each.tree.holds(stage, wanted, run.line) is False:
                message = f"the install runs `{needs[0].value}` before {inner} is copied"
                where = places((), [Src(each.path, run.line), needs[0].src])
                above = posixpath.dirname(inner)
                yield Found(each.path, message, where, f"COPY {above} ./{above}/   above it")


def _installs(run: Run) -> bool:
    for words in commands(run.script):
        bare = words == ("yarn",)
        if words[0] in {"npm", "pnpm", "yarn", "bun"} and (
            bare or words[1:2] in {("install",), ("ci",), ("i",)}
        ):
            return not {"-g", "--global", "--ignore-scripts"} & set(words)
    return False


def _scripts(facts: Facts) -> Iterator[Outcome]:
    """Yield commands whose script was not copied into the image that runs them."""
    seen: set[str] = set()
    for declaration in (facts.production, *sides.layers(facts)):
        for process in sides.apps(declaration):
            for script, found in _lost(facts, process, production=declaration is facts.production):
                if script not in seen:
                    seen.add(script)
                    yield found


def _lost(facts: Facts, process: Process, *, production: bool) -> Iterator[tuple[str, Found]]:
    build = process.build
    if build is None or build.parsed is None or build.stage is None or _mounted(process):
        return
    file = str(build.dockerfile.value)
    tree = Tree(build.parsed, context(facts, str(build.context.value), file))
    workdir = build.parsed.workdir(build.stage)
    folder = workdir.value if workdir and workdir.value else "/"
    for script, via in _run(facts, process, tree.where.folder):
        full = posixpath.normpath(posixpath.join(folder, script))
        if tree.holds(build.stage, full) is not False:
            continue
        sources = [process.command.src, *via, *_beside(build, script, file)]
        where = places(sources) if production else places((), sources)
        message = f"{process.name} runs {script}, which is not in its image"
        yield script, Found(script, message, where, f"COPY {script} ./{script}")


def _beside(build: Build, script: str, file: str) -> list[Src]:
    """Return where the image gets its neighbours from: there the line is missing."""
    folder = posixpath.dirname(script)
    copies = build.stage.copies if build.stage else ()
    near = [each.line for each in copies if folder and any(folder in one for one in each.sources)]
    return [Src(file, line) for line in near or [build.stage.line if build.stage else 0]]


def _mounted(process: Process) -> bool:
    return any(each.kind == "bind" and not each.source.startswith("/") for each in process.mounts)


def _run(facts: Facts, process: Process, folder: str) -> Iterator[tuple[str, tuple[Src, ...]]]:
    for step in process.steps_start:
        for ran in followed(facts, step.words, folder) if step.words else ():
            runs = posixpath.basename(ran.words[0]) in _INTERPRETERS
            for word in ran.words[1:2] if runs else ran.words[:1]:
                plain = posixpath.normpath(word)
                if not _SCRIPT.fullmatch(word) or plain.startswith(("/", "..")):
                    continue
                here = facts.repository.workspace.has(posixpath.join(folder, plain))
                if here and not GENERATED & set(plain.split("/")):
                    yield plain, (*step.via, step.src, *ran.via)

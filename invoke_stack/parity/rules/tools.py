"""PAR506: programs that a command needs and its image has not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Instruction, Stage
from invoke_stack.parity.declaration import Process
from invoke_stack.parity.repository import Facts, Package
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.rules.shells import MANAGERS, commands, followed, located
from invoke_stack.parity.values import Src

_TOOLS = frozenset({"pnpm", "yarn", "bun", "bunx", "uv", "poetry", "pipenv", "pdm", "turbo"})
_WITH = {"node": {"npm", "npx", "yarn", "corepack"}, "oven/bun": {"bun", "bunx"},
         "ghcr.io/astral-sh/uv": {"uv", "uvx"}, "astral-sh/uv": {"uv", "uvx"},
         "astral/uv": {"uv", "uvx"}}  # fmt: skip
_INSTALLS = re.compile(r"\b(?:install|add|i|enable|prepare|use)\b")


@rule("PAR506", "Command uses a tool the image lacks", "error")
def tools(facts: Facts) -> Iterator[Outcome]:
    """Follow RUN, CMD and commands to the package managers they call."""
    seen: set[tuple[str, str]] = set()
    for path, (parsed, _, _) in sides.builds(facts).items():
        for line, tool, via in _missing(facts, parsed, _folder(facts, path)):
            if (path, tool) not in seen:
                seen.add((path, tool))
                others = _commands(facts, path, tool)
                message = f"{tool} is called in {path}, and no stage up to there installs it"
                where = places((), [Src(path, line), *via, *others])
                yield Found(tool, message, where, _install(facts, tool), None)
        lacking = {tool for name, tool in seen if name == path}
        yield from _at_start(facts, path, parsed, lacking)
    yield from _installers(facts)
    if not seen:
        yield Passed("tools", "every package manager that is called is installed")


def _missing(
    facts: Facts, parsed: Dockerfile, folder: str
) -> Iterator[tuple[int, str, tuple[Src, ...]]]:
    for stage in parsed.stages:
        for each in stage.instructions:
            if each.name not in {"RUN", "CMD", "ENTRYPOINT"}:
                continue
            for tool, via in _called(facts, each, folder):
                if not _has(parsed, stage, tool, each):
                    yield each.line, tool, via


def _folder(facts: Facts, path: str) -> str:
    """Return the build context of a Dockerfile: there its commands find their package.json."""
    for declaration in (facts.production, *sides.layers(facts)):
        for process in sides.apps(declaration):
            build = process.build
            if build is not None and build.dockerfile.value == path and build.context.value:
                return build.context.value
    return "."


def _called(facts: Facts, each: Instruction, folder: str) -> Iterator[tuple[str, tuple[Src, ...]]]:
    lists = [(each.args, folder)] if each.exec else list(located(each.script, folder))
    for words, here in lists:
        for ran in followed(facts, words, here):
            name = posixpath.basename(ran.words[0])
            if name in _TOOLS:
                yield name, ran.via


def _has(parsed: Dockerfile, stage: Stage, tool: str, upto: Instruction | None) -> bool:
    base = parsed.root(stage)
    name = sides.repository_name(base.image)
    known = _WITH.get(name)
    if known is None and name not in {"python", "debian", "ubuntu", "alpine", "ruby", "nginx"}:
        return True  # an image that nobody here knows may bring anything
    if tool in (known or ()):
        return True
    word = re.compile(rf"(?<![\w-]){re.escape(tool)}(?:@|\b)")
    for each in (one for part in reversed(parsed.chain(stage)) for one in part.instructions):
        if upto is not None and each is upto:
            break
        if each.name in {"COPY", "ADD"} and any(
            word.search(arg) for arg in (*each.args, *each.flags)
        ):
            return True
        if each.name == "RUN" and _brings(each.script, word, tool):
            return True
    return upto is not None and upto.name == "RUN" and _brings(upto.script, word, tool)


def _brings(script: str, word: re.Pattern[str], tool: str) -> bool:
    if "corepack" in script and tool in {"pnpm", "yarn"}:
        return True
    for words in commands(script):
        text = " ".join(words)
        own = posixpath.basename(words[0]) == tool
        if not own and word.search(text) and (_INSTALLS.search(text) or "curl" in text):
            return True
    # A local dependency runs through npx; an installer script names its tool in its address.
    return re.search(rf"(?:curl|wget)[^|]*{re.escape(tool)}", script) is not None


def _commands(facts: Facts, path: str, tool: str) -> list[Src]:
    found = []
    for layer in sides.layers(facts):
        for process in sides.apps(layer):
            build = process.build
            here = build is not None and build.dockerfile.value == path
            if here and process.command.src.file and tool in _started(facts, process):
                found.append(process.command.src)
    return found


def _at_start(facts: Facts, path: str, parsed: Dockerfile, lacking: set[str]) -> Iterator[Outcome]:
    """Yield commands of the stack or of production that need what the built stage lacks."""
    for side, declaration in (("production", facts.production),
                              *(("local", each) for each in sides.layers(facts))):  # fmt: skip
        for process in sides.apps(declaration):
            build = process.build
            if build is None or build.dockerfile.value != path or build.stage is None:
                continue
            for tool in sorted(_started(facts, process) - lacking):
                if not _has(parsed, build.stage, tool, None) and process.command.src.file != path:
                    lacking.add(tool)
                    message = f"the command of {process.name} calls {tool}, which its image lacks"
                    src = [process.command.src, Src(path, build.stage.line)]
                    where = places(src) if side == "production" else places((), src)
                    yield Found(tool, message, where, _install(facts, tool))


def _started(facts: Facts, process: Process) -> set[str]:
    folder = str(process.build.context.value) if process.build else "."
    names = {
        posixpath.basename(ran.words[0])
        for words in commands(process.command.value or "")
        for ran in followed(facts, words, folder)
    }
    return names & _TOOLS


def _install(facts: Facts, tool: str) -> str:
    stated = next((each.manager.value for each in facts.repository.packages.values()
                   if (each.manager.value or "").startswith(f"{tool}@")), None)  # fmt: skip
    if tool in {"pnpm", "yarn"}:
        return f"RUN corepack enable && corepack prepare {stated or f'{tool}@latest'} --activate"
    if tool in {"bun", "bunx"}:
        return "FROM oven/bun:1"
    if tool in {"uv", "poetry", "pipenv", "pdm"}:
        return f"RUN pip install {tool}"
    return f"RUN npm install -g {tool}"


def _installers(facts: Facts) -> Iterator[Outcome]:
    """Yield packages that several managers install: each resolves its own versions."""
    for package in facts.repository.packages.values():
        declared = (package.manager.value or "").partition("@")[0]
        rival = set(package.lockfiles) - {declared} if declared else set(package.lockfiles)
        if declared and rival and declared in package.lockfiles:
            used = list(_used(facts, package))
            message = (
                f"{package.src.file} names {package.manager.value}, and there are lock files of "
            )
            message += f"{sides.listed(package.lockfiles)}"
            message += f"; {sides.listed(name for name, _ in used)} install" if used else ""
            where = places([src for _, src in used], [package.manager])
            fix = (
                f"{declared} everywhere, and no {sides.listed(package.lockfiles[r] for r in rival)}"
            )
            yield Found(declared, message, where, fix, "warning")


def _used(facts: Facts, package: Package) -> Iterator[tuple[str, Src]]:
    for process in facts.production.processes.values():
        for step in process.steps_build:
            here = str(process.root.value or ".") == package.folder
            if here and step.words and step.words[0] in MANAGERS and step.tag == "install":
                yield step.words[0], step.src
    for path, parsed in facts.repository.dockerfiles.items():
        if (path.rpartition("/")[0] or ".") == package.folder:
            for stage in parsed.stages:
                for run in stage.runs:
                    yield from ((name, Src(path, run.line)) for name in _installing(run.script))


def _installing(script: str) -> Iterator[str]:
    for words in commands(script):
        installs = words[0] in MANAGERS and words[1:2] in {("install",), ("ci",), ("i",)}
        if installs and not {"-g", "--global"} & set(words):
            yield words[0]

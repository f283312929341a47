"""PAR309: variables that a bundler compiles in, given when it is too late."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

_LATE = "set at run time, but compiled in when the image is built"
_UNDECLARED = "compiled in at build time, and not declared for production's build"


@rule("PAR309", "Build-time variable given only at run time", "warning", "high")
def late(facts: Facts) -> Iterator[Outcome]:
    """Find NEXT_PUBLIC_, VITE_, … variables that no build sees."""
    found = [*_late(facts), *_undeclared(facts)]
    yield from found
    if not found:
        yield Passed("build time", "every build-time variable reaches a build")


def told(facts: Facts) -> frozenset[str]:
    """Return the keys that PAR309 speaks of."""
    found = (*_late(facts), *_undeclared(facts))
    return frozenset(each.subject for each in found)


def _late(facts: Facts) -> Iterator[Found]:
    for side, process, _ in sides.shipped(facts):
        for var in process.env.values():
            if not _is_late(process, var):
                continue
            file = str(process.build.dockerfile.value) if process.build else ""
            fix = f"ARG {var.key}   in {file}, and build.args: {var.key}"
            where = places([var.src]) if side == "production" else places((), [var.src])
            yield Found(var.key, var.key, where, fix, group=f"{process.name}: {_LATE}")


def _is_late(process: Process, var: EnvVar) -> bool:
    build = process.build
    written = var.origin in {"literal", "interpolated", "ref", "secret_prompt", "generated"}
    if build is None or build.parsed is None or not sides.public(var.key) or not written:
        return False
    if var.key in build.args or var.commented:
        return False
    return _bundles(build.parsed) and var.key not in _taken(build.parsed)


def _taken(parsed: Dockerfile) -> set[str]:
    return {key for stage in parsed.stages for key in (*stage.args, *stage.env)}


def _bundles(parsed: Dockerfile) -> bool:
    """Tell whether the image is made by a build step rather than by a dev server."""
    scripts = [each.script for stage in parsed.stages for each in stage.named("RUN")]
    return any("build" in script for script in scripts)


def _undeclared(facts: Facts) -> Iterator[Found]:
    """Yield what an image of the repository takes as ARG and a native build does not get."""
    everywhere = {key for each in facts.production.processes.values() for key in each.env}
    native = [each for each in facts.production.processes.values()
              if each.runtime.value == "static" and each.command_build.value]  # fmt: skip
    if not native:
        return
    seen = set()
    for path, stage, key in _arguments(facts):
        if key in everywhere or key in seen:
            continue
        process = native[0]
        seen.add(key)
        line = stage.args[key].line
        templates = [each.keys[key].src for each in facts.repository.templates if key in each.keys]
        where = places(
            [process.command_build, sides.last_env_line(process)], [Src(path, line), *templates[:3]]
        )
        fix = sides.env_line(facts, key)
        yield Found(key, key, where, fix, confidence="medium", group=_UNDECLARED)


def _arguments(facts: Facts) -> Iterator[tuple[str, Stage, str]]:
    for path, parsed in facts.repository.dockerfiles.items():
        for stage in parsed.stages:
            for key in stage.args:
                if sides.public(key):
                    yield path, stage, key

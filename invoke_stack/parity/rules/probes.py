"""PAR403: health checks that fail whatever the app does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.declaration import Datastore, Process
from invoke_stack.parity.parts import Probe
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import nextjs, sides
from invoke_stack.parity.values import Src

_FULL = frozenset({"node", "python", "ruby", "golang", "openjdk", "php", "buildpack-deps"})
"""Official images on buildpack-deps: curl and wget are in their full variants."""
_BARE = frozenset({"debian", "ubuntu"})
_INSTALLER = re.compile(
    r"\b(?:apk\s+(?:--?\S+\s+)*add|apt(?:-get)?\s+(?:--?\S+\s+)*install|"
    r"(?:yum|dnf|microdnf)\s+(?:-\S+\s+)*install)\b"
)
_SLIM = re.compile(r"(?:^|-)slim(?:-|$)")
_LANGUAGE = {"node": {"node"}, "npm": {"node"}, "npx": {"node"}, "python": {"python"},
             "python3": {"python"}, "ruby": {"ruby"}, "php": {"php"}}  # fmt: skip


def has(image: str, binary: str) -> bool | None:
    """Tell whether a base image has a program; None when nobody here knows.

    Facts: the Dockerfiles of the official images (`buildpack-deps:curl` and `:scm` in the full
    variants of node, python, ruby; busybox wget in Alpine; neither in `-slim`).
    """
    name, variant = sides.repository_name(image), sides.tag(image)
    alpine = name == "alpine" or "alpine" in variant
    slim = bool(_SLIM.search(variant)) or name in _BARE
    if binary in _LANGUAGE:
        if name in _LANGUAGE[binary]:
            return True
        return False if name in {*_FULL, *_BARE, "alpine"} else None
    if binary == "wget" and (alpine or name == "busybox"):
        return True if name in {*_FULL, "alpine", "busybox", "nginx", "redis", "postgres"} else None
    if binary in {"curl", "wget"}:
        if name in {*_FULL, *_BARE, "alpine"} and (alpine or slim):
            return False
        return True if name in _FULL and name != "openjdk" else None
    return None


def installed(parsed: Dockerfile, stage: Stage, binary: str) -> bool:
    """Tell whether a RUN or COPY of the stage's chain brings a program."""
    word = re.compile(rf"(?<![\w-]){re.escape(binary)}(?![\w])")
    for each in parsed.chain(stage):
        if any(_brings(one.script, word) for one in each.named("RUN")):
            return True
        if any(word.search(one.args[-1]) for one in each.named("COPY", "ADD") if one.args):
            return True
    return False


def _brings(script: str, word: re.Pattern[str]) -> bool:
    return any(word.search(part) for part in re.split(r"&&|;", script) if _INSTALLER.search(part))


@rule("PAR403", "Probe cannot work in its image", "error")
def probes(facts: Facts) -> Iterator[Outcome]:
    """Find health checks whose program is not in the image, or that ask the wrong address."""
    seen: set[Src] = set()
    for layer in sides.layers(facts):
        for each in sides.everything(layer):
            for probe in each.health:
                if probe.src in seen or probe.disabled or probe.origin == "platform":
                    continue
                seen.add(probe.src)
                yield from _judged(each, probe)
    yield from _unbound(facts)


def _judged(process: Process | Datastore, probe: Probe) -> Iterator[Outcome]:
    image, where = _image(process)
    known = has(image, probe.binary) if image and probe.binary else None
    build = process.build
    if known is False and build is not None and build.parsed is not None and build.stage:
        known = installed(build.parsed, build.stage, probe.binary) or False
    if known is False:
        message = f"the probe runs {probe.binary}, which {image} has not"
        other = "wget -qO-" if has(image, "wget") else "node -e" if has(image, "node") else ""
        fix = f"{other} … (it is in {image})" if other else f"install {probe.binary} in the image"
        yield Found(process.name, message, places((), [probe.src, where]), fix)
    elif known:
        yield Passed(process.name, f"{probe.binary} is in {image}", places((), [probe.src]))


def _image(process: Process | Datastore) -> tuple[str, Src | None]:
    build = process.build
    if build is None or build.parsed is None or build.stage is None:
        found = process.image
        return (found.value or "", None) if not build else ("", None)
    base = build.parsed.root(build.stage)
    return base.image, Src(str(build.dockerfile.value), base.line)


def _unbound(facts: Facts) -> Iterator[Outcome]:
    """Yield probes of localhost where a standalone Next.js server binds to the container's name."""
    standalone = nextjs.standalone(facts)
    if standalone is None:
        return
    for process in sides.apps(facts.local):
        build = process.build
        if build is None or build.parsed is None or build.stage is None:
            continue
        if "HOSTNAME" in process.env or "HOSTNAME" in build.parsed.env(build.stage):
            continue
        words = [word for step in process.steps_start for word in step.words]
        probed = [each for each in process.health if each.host in {"localhost", "127.0.0.1"}]
        if not probed or not any(word.endswith("server.js") for word in words):
            continue
        message = (
            "Next.js binds to HOSTNAME, which Docker sets to the container's id: "
            f"a probe of {probed[0].host} is refused"
        )
        line = build.parsed.cmd(build.stage)
        file = str(build.dockerfile.value)
        start = Src(file, line.line) if line else None
        where = places((), [*(each.src for each in probed), start, standalone])
        yield Found(process.name, message, where, "ENV HOSTNAME=0.0.0.0", "warning")

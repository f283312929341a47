"""PAR502: both sides, or two Dockerfiles of one app, build or pull something else."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from invoke_stack.parity.declaration import Build
from invoke_stack.parity.pairing import Pair
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

_TWINS = frozenset({"prod", "production", "render", "fly", "railway", "heroku", "vercel", "deploy"})


@rule("PAR502", "Other Dockerfile, context or image", "warning", "high")
def other_build(facts: Facts) -> Iterator[Outcome]:
    """Compare what both sides build or pull."""
    for pair in facts.pairing.processes:
        outcomes = list(_other(facts, pair))
        yield from outcomes
        if not outcomes and pair.production.build is not None and pair.local.build is not None:
            message = f"both build {pair.local.build.dockerfile.value}"
            where = places([pair.production.src], [pair.local.src])
            yield Passed(pair.production.name, message, where)
    yield from _unstated(facts)
    yield from _twins(facts)


def _other(facts: Facts, pair: Pair) -> Iterator[Outcome]:
    one, two = pair.production.build, pair.local.build
    name = pair.production.name
    if one is not None and two is not None:
        yield from _elsewhere(facts, pair, one, two)
        return
    image = pair.local.image
    if two is None and image.value and not pair.local.host_run:
        theirs = pair.production.image.value
        if one is not None:
            message = f"production builds {one.dockerfile.value}, local pulls {image.value}"
            fix = f"build: {{context: {one.context.value}, dockerfile: {one.dockerfile.value}}}"
            yield Found(name, message, places([pair.production.src], [image]), fix)
        elif theirs and sides.tag(theirs) != sides.tag(image.value):
            message = f"production runs {theirs}, local {image.value}"
            fix = f"image: {theirs}"
            yield Found(name, message, places([pair.production.image], [image]), fix)
        elif sides.tag(image.value) in {"", "latest"}:
            message = f"local pulls {image.value}, whatever that is today"
            yield Found(name, message, places([pair.production.src], [image]),
                        f"image: {sides.repository_name(image.value)}:<version>")  # fmt: skip
        return
    if one is not None and pair.production.build is not None and two is None:
        return


def _elsewhere(facts: Facts, pair: Pair, one: Build, two: Build) -> Iterator[Outcome]:
    differ = [
        (what, left, right)
        for what, left, right in (
            ("Dockerfile", one.dockerfile, two.dockerfile),
            ("context", one.context, two.context),
        )
        # PAR501 tells what does not exist.
        if left.value != right.value and facts.repository.workspace.has(str(left.value or "."))
    ]
    if differ:
        told = [f"production's {what} is {left.value}, local's {right.value}"
                for what, left, right in differ]  # fmt: skip
        production = [left if left.src.file else pair.production.src for _, left, _ in differ]
        local = [right if right.src.file else pair.local.src for _, _, right in differ]
        where = places(production, local)
        yield Found(pair.production.name, "; ".join(told), where, _build_line(one))


def _build_line(build: Build) -> str:
    return f"build: {{context: {build.context.value}, dockerfile: {build.dockerfile.value}}}"


def _unstated(facts: Facts) -> Iterator[Outcome]:
    for process in facts.production.processes.values():
        build = process.build
        if build is None or build.context.certainty != "default":
            continue
        folder = posixpath.dirname(str(build.dockerfile.value))
        if folder and folder != str(process.root.value or "."):
            message = f"the context of {build.dockerfile.value} is not stated"
            where = places([build.dockerfile])
            yield Found(process.name, message, where, "dockerContext: .", "info")


def _twins(facts: Facts) -> Iterator[Outcome]:
    """Yield two Dockerfiles that make one app: one of them drifts."""
    by_app: dict[str, list[str]] = {}
    folders = {path for path in facts.repository.packages if path != "."}
    for path in facts.repository.dockerfiles:
        folder, name = posixpath.split(path)
        suffix = name.removeprefix("Dockerfile").removeprefix(".")
        if name == "Dockerfile":
            by_app.setdefault(folder or ".", []).append(path)
        elif suffix in folders and not folder:
            by_app.setdefault(suffix, []).append(path)
        elif suffix in _TWINS:
            by_app.setdefault(folder or ".", []).append(path)
    group = "two Dockerfiles make one app, and drift apart"
    for paths in by_app.values():
        if len(paths) > 1 and any(not sides.dev_file(each) for each in paths):
            names = sorted(paths)
            where = places((), [Src(each) for each in names])
            yield Found(names[0], " and ".join(names), where, "one of them", group=group)

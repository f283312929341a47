"""PAR703: what enters the image and should not; and the build context of each Dockerfile."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from invoke_stack.dockerfile.model import Copy, Stage
from invoke_stack.findings.model import Severity
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.rules.images import shipped
from invoke_stack.parity.rules.tree import Tree, context
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import normal

_ENV_FILES = (".env", ".env.local", ".env.production", ".env.production.local")
_HEAVY = ("node_modules/x", ".git/config")


@dataclass(frozen=True, slots=True)
class Shipped:
    """A Dockerfile that ships: its path, the stage that does, and the files of its stages."""

    path: str
    stage: Stage
    tree: Tree


def contexts(facts: Facts) -> Iterator[Shipped]:
    """Yield every Dockerfile that ships with its build context."""
    folders: dict[str, str] = {}
    for declaration in (facts.production, *sides.layers(facts)):
        for process in sides.apps(declaration):
            if process.build is not None and process.build.context.value:
                file = str(process.build.dockerfile.value)
                folders.setdefault(file, process.build.context.value)
    for path, parsed, stage, _ in shipped(facts):
        yield Shipped(path, stage, Tree(parsed, context(facts, folders.get(path, "."), path)))


@rule("PAR703", ".env files can enter the image", "error", "high")
def leaks(facts: Facts) -> Iterator[Outcome]:
    """Check that a COPY of everything leaves the env files out."""
    for each in contexts(facts):
        broad = [(stage, copy) for stage in each.tree.parsed.stages
                 for copy in stage.copies if _broad(copy)]  # fmt: skip
        if not broad:
            yield Passed(each.path, "only named paths are copied")
        else:
            yield _leak(facts, each, broad)


def _leak(facts: Facts, each: Shipped, broad: list[tuple[Stage, Copy]]) -> Outcome:
    where = each.tree.where
    lines = [Src(each.path, copy.line) for _, copy in broad]
    ignore = normal(posixpath.join(where.folder, ".dockerignore"))
    if facts.repository.workspace.has(ignore):
        lines.append(Src(ignore))
    inside = [name for name in _ENV_FILES if not where.ignore.excludes(name)]
    heavy = [name.partition("/")[0] for name in _HEAVY if not where.ignore.excludes(name)]
    ships = any(stage in each.tree.parsed.chain(each.stage) for stage, _ in broad)
    # A committed .env is no secret, and the build may need it.
    if inside and not where.exists(".env"):
        message = f"COPY takes {', '.join(inside)} along when they are there"
        message += "" if ships else ", into the layers of the build stage"
        fix = f".env\n.env.*\n!.env.example   in {ignore}"
        level: Severity | None = None if ships else "warning"
        return Found(each.path, message, places((), lines), fix, level)
    if heavy:
        message = f"COPY takes {', '.join(heavy)} of this machine into the build"
        fix = "\n".join(heavy) + f"   in {ignore}"
        return Found(each.path, message, places((), lines), fix, "warning")
    return Passed(each.path, ".dockerignore keeps env files out", places((), lines))


def _broad(copy: Copy) -> bool:
    return not copy.origin and any(each.rstrip("/") in {".", "", "*"} for each in copy.sources)

"""PAR707: files that an install or build needs and that nobody copies before it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Copy, Stage
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules.context import Shipped, contexts
from invoke_stack.parity.rules.shells import located
from invoke_stack.parity.rules.tree import Context
from invoke_stack.parity.values import Src

_LOCKED = {
    "npm": ("ci", "package-lock.json"),
    "pnpm": ("install", "pnpm-lock.yaml"),
    "yarn": ("install", "yarn.lock"),
}
_FROZEN = frozenset({"--frozen-lockfile", "--immutable"})


@rule("PAR707", "Files missing in the image build")
def missing(facts: Facts) -> Iterator[Outcome]:
    """Check lock files, workspace files and the tsconfig that another one extends."""
    for each in contexts(facts):
        found = [*_locks(each), *_extended(facts, each)]
        yield from found
        if not found:
            yield Passed(each.path, "what the build needs is copied before it")


def _locks(each: Shipped) -> Iterator[Outcome]:
    for stage in each.tree.parsed.stages:
        for run in stage.runs:
            flags = [flag for one in stage.named("RUN") if one.line == run.line
                     for flag in one.flags]  # fmt: skip
            wanted = {posixpath.join(folder, file): file
                      for words, folder in located(run.script, run.workdir)
                      for file in _needs(words, each.tree.where)}  # fmt: skip
            for full, file in sorted(wanted.items()):
                mounted = any(file in flag for flag in flags)
                if not mounted and each.tree.holds(stage, full, run.line) is False:
                    message = f"line {run.line} needs {file}, which is not copied above it"
                    place = places((), [Src(each.path, run.line)])
                    yield Found(file, message, place, f"COPY {file} ./")


def _needs(words: tuple[str, ...], where: Context) -> Iterator[str]:
    known = _LOCKED.get(words[0])
    if known is None or known[0] not in words[1:]:
        return
    if words[0] == "npm" or _FROZEN & set(words):
        yield known[1]
    if words[0] == "pnpm" and where.exists("pnpm-workspace.yaml"):
        yield "pnpm-workspace.yaml"


def _extended(facts: Facts, each: Shipped) -> Iterator[Outcome]:
    """Yield each copied tsconfig whose parent is not copied."""
    for stage in each.tree.parsed.stages:
        for copy in stage.copies:
            for source in () if copy.origin else copy.sources:
                parent = _parent(facts, each.tree.where, source)
                if parent:
                    yield from _orphan(each, stage, copy, (source, parent))


def _orphan(each: Shipped, stage: Stage, copy: Copy, pair: tuple[str, str]) -> Iterator[Outcome]:
    source, parent = pair
    folder = copy.target if copy.target.endswith("/") else posixpath.dirname(copy.target)
    full = posixpath.normpath(posixpath.join(folder, parent))
    if each.tree.holds(stage, full) is False:
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(source), parent))
        message = f"{source} extends {parent}, which is not copied"
        place = places((), [Src(each.path, copy.line), Src(each.tree.where.path(source))])
        yield Found(inner, message, place, f"COPY {inner} {full}")


def _parent(facts: Facts, where: Context, source: str) -> str:
    """Return the relative file that a tsconfig extends; ""."""
    if not re.fullmatch(r"tsconfig[\w.-]*\.json", posixpath.basename(source)):
        return ""
    workspace, file = facts.repository.workspace, where.path(source)
    if not workspace.has(file) or not workspace.readable(file):
        return ""
    plain = re.sub(r"(?m)^\s*//.*$|/\*.*?\*/", "", workspace.text(file))
    try:
        extends = json.loads(re.sub(r",(\s*[}\]])", r"\1", plain)).get("extends", "")
    except (ValueError, AttributeError):
        return ""
    return extends if isinstance(extends, str) and extends.startswith(".") else ""

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
                told = any(file in flag for flag in flags) or _copied(stage, file, run.line)
                if not told and each.tree.holds(stage, full, run.line) is False:
                    message = f"line {run.line} needs {file}, which is not copied above it"
                    place = places((), [Src(each.path, run.line)])
                    yield Found(file, message, place, f"COPY {file} ./")


def _copied(stage: Stage, file: str, before: int) -> bool:
    """Tell whether a line above copies the file: that it does not exist is PAR704's."""
    above = [each for each in stage.copies if not each.origin and each.line < before]
    return any(posixpath.basename(source) == file for each in above for source in each.sources)


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
                yield from _orphans(facts, each, stage, copy, source)


def _orphans(
    facts: Facts, each: Shipped, stage: Stage, copy: Copy, source: str
) -> Iterator[Outcome]:
    where = each.tree.where
    inside = where.is_folder(source) and source.rstrip("/") not in {".", ""}
    file = posixpath.join(source, "tsconfig.json") if inside else source
    parent = _parent(facts, where, file)
    if not parent:
        return
    folder = copy.target if inside or copy.target.endswith("/") else posixpath.dirname(copy.target)
    full = posixpath.normpath(posixpath.join(folder, parent))
    if each.tree.holds(stage, full) is False:
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(file), parent))
        message = f"{file} extends {parent}, which is not copied"
        place = places((), [Src(each.path, copy.line), Src(where.path(file))])
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

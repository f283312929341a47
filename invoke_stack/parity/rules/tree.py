"""What lies in an image: traced through COPY, as far as that can be known without building."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field

from invoke_stack.dockerfile import ignore
from invoke_stack.dockerfile.model import Copy, Dockerfile, Run, Stage
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.workspace import normal

GENERATED = frozenset(
    [
        "dist",
        "build",
        ".next",
        "out",
        ".output",
        "node_modules",
        "target",
        "generated",
        ".venv",
        "venv",
        "vendor",
        "bin",
        "lib",
        "static",
        "coverage",
        "staticfiles",
        ".svelte-kit",
        ".nuxt",
        "release",
        "publish",
        "storybook-static",
        "compiled",
        "pkg",
        "site-packages",
        "www",
        "public_html",
        "obj",
    ]
)
"""Folders that a build makes."""

_OPAQUE = re.compile(r"\b(?:git clone|curl|wget|tar |unzip|turbo prune|nx |rsync|pnpm deploy)\b")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Context:
    """A build context: the repository's files below a folder, without what is ignored."""

    facts: Facts = field(repr=False)
    folder: str
    ignore: ignore.Ignore = field(repr=False)

    def path(self, source: str) -> str:
        """Return a COPY's source from the project root."""
        return normal(posixpath.join(self.folder, source.lstrip("/") or "."))

    def exists(self, source: str) -> bool:
        """Tell whether the repository has it, ignored or not."""
        return self.facts.repository.workspace.has(self.path(source))

    def is_folder(self, source: str) -> bool:
        """Tell whether it is a folder."""
        return self.path(source) in self.facts.repository.workspace.folders

    def has(self, source: str) -> bool:
        """Tell whether a build gets it: it exists, and `.dockerignore` leaves it in."""
        name = normal(source.lstrip("/") or ".")
        if globbed(name):
            head = re.split(r"[*?\[]", self.path(name))[0].rpartition("/")[0]
            below = self.facts.repository.workspace.below(head or ".")
            return any(fnmatch.fnmatchcase(each, self.path(name)) for each in below)
        if not self.exists(name) or name == ".":
            return name == "."
        if not self.ignore.excludes(name):
            return True
        # A folder that is kept out may have files that `!` takes back.
        below = self.facts.repository.workspace.below(self.path(name))
        start = "" if self.folder == "." else f"{self.folder}/"
        return any(not self.ignore.excludes(each.removeprefix(start)) for each in below)


def globbed(path: str) -> bool:
    """Tell whether a source is a pattern."""
    return any(mark in path for mark in "*?[")


def context(facts: Facts, folder: str, dockerfile: str) -> Context:
    """Return the build context of a Dockerfile."""
    workspace = facts.repository.workspace
    own, shared = f"{dockerfile}.dockerignore", normal(posixpath.join(folder, ".dockerignore"))
    name = own if workspace.has(own) else shared
    text = workspace.text(name) if workspace.has(name) and workspace.readable(name) else ""
    return Context(facts, normal(folder), ignore.Ignore(ignore.listed(text)))


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a Dockerfile's stages."""

    parsed: Dockerfile
    where: Context

    def holds(self, stage: Stage, path: str, before: int = 0, depth: int = _DEEPEST) -> bool | None:
        """Tell whether an absolute path lies in a stage; None when nobody can know unbuilt.

        Args:
            stage: the stage.
            path: absolute.
            before: look only at what stands above this line; 0 looks at all of it.
            depth: stages that are followed.
        """
        steps = [each for each in self.steps(stage) if not before or each.line < before]
        copies = [each for each in steps if isinstance(each, Copy)]
        answers = [self._copied(each, path, depth) for each in copies]
        if True in answers:
            return True
        made = any(isinstance(each, Run) and _makes(each.script, path) for each in steps)
        filled = any(_top(each.target) == _top(path) for each in copies)
        return None if None in answers or made or not filled else False

    def steps(self, stage: Stage) -> tuple[Copy | Run, ...]:
        """Return what fills a stage, with what it inherits, in order."""
        found: list[Copy | Run] = [*self.parsed.copies(stage), *self.parsed.runs(stage)]
        return tuple(sorted(found, key=lambda each: each.line))

    def source(self, copy: Copy, path: str) -> bool | None:
        """Tell whether a COPY's source can be there."""
        if not copy.known or copy.heredocs or "://" in path or globbed(path):
            return None
        if not copy.origin:
            return self.where.has(path)
        if copy.stage is None:
            return None
        return self.holds(self.parsed.stages[copy.stage], normal(posixpath.join("/", path)))

    def _copied(self, copy: Copy, path: str, depth: int) -> bool | None:
        folder = posixpath.normpath(copy.target)
        if path != folder and not path.startswith(f"{folder.rstrip('/')}/"):
            return False
        if not copy.known or copy.heredocs or depth == 0:
            return None
        rest = path[len(folder) :].strip("/")
        into = copy.target.endswith("/") or len(copy.sources) > 1
        answers = [self._one(copy, each, rest, depth, into=into) for each in copy.sources]
        return True if True in answers else None if None in answers else False

    def _one(self, copy: Copy, source: str, rest: str, depth: int, *, into: bool) -> bool | None:
        name = posixpath.basename(normal(source))
        if not copy.origin:
            return self._from_context(normal(source.lstrip("/") or "."), rest, into=into)
        if copy.stage is None:
            return None
        if globbed(name):
            first = rest.partition("/")[0]
            if not fnmatch.fnmatchcase(first, name):
                return False
            base, inner = posixpath.dirname(posixpath.join("/", source)), rest
        else:
            base, inner = posixpath.join("/", source), rest
            if into and "." in name and rest.partition("/")[0] == name:  # the file itself
                base, inner = posixpath.dirname(base), rest
        wanted = posixpath.normpath(posixpath.join(base, inner))
        return self.holds(self.parsed.stages[copy.stage], wanted, depth=depth - 1)

    def _from_context(self, source: str, rest: str, *, into: bool) -> bool:
        if globbed(source):
            name = posixpath.join(posixpath.dirname(source), rest)
            return fnmatch.fnmatchcase(rest, posixpath.basename(source)) and self.where.has(name)
        if self.where.is_folder(source):
            return self.where.has(posixpath.join(source, rest)) if rest else True
        if into:
            return rest == posixpath.basename(source) and self.where.has(source)
        return not rest and self.where.has(source)


def _top(path: str) -> str:
    return next((part for part in path.split("/") if part), "")


def _makes(script: str, path: str) -> bool:
    """Tell whether a RUN may create the path."""
    parts = [each for each in path.split("/") if each]
    if GENERATED & set(parts) or _OPAQUE.search(script):
        return True
    name = re.escape(parts[-1]) if parts else "/"
    creates = r"\b(?:mkdir|cp|mv|touch|ln|install|tee)\b[^&;|]*"
    return re.search(rf"(?:{creates}|>\s*\S*){name}", script) is not None

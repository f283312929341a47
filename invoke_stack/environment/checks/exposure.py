"""Env files that others can read: on this machine, in git, in an image."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from invoke_stack.environment import layers
from invoke_stack.environment.checks import ignores
from invoke_stack.environment.checks.rules import Judge, finding
from invoke_stack.environment.checks.state import Family
from invoke_stack.environment.needs import Needs
from invoke_stack.findings.model import Finding, Place, Remark, Severity
from invoke_stack.project import Project

# The others may be committed, by Next.js's convention, as long as they hold no secret.
_PERSONAL = re.compile(r"\.env(?:\.local|\..+\.local)?")


def too_open(path: Path) -> bool:
    """Tell whether others than the owner may read a file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(stat.S_IMODE(mode) & 0o077)


def check(
    project: Project, families: Sequence[Family], needs: Needs, judge: Judge
) -> Iterator[Finding | Remark]:
    """Yield who else can read the env files; a remark where that cannot be known."""
    secret = [
        layer.path for family in families for layer in family.layers if family.sensitive(layer)
    ]
    for path in secret:
        if too_open(path):
            file = project.shown(path)
            message, fix = "others on this machine can read it", f"chmod 600 {file}"
            yield finding("ENV-MODE", judge.level, file, message, fix, Place("local", file))
    every = [layer.path for family in families for layer in family.layers]
    yield from _git(project, families, every, secret)
    for each in ignores.for_docker(project, needs.contexts, secret):
        message = "nothing keeps it out of an image's build context: COPY would take it along"
        fix = f"add to {each.file}: {each.line}"
        yield finding(
            "ENV-IMAGE", judge.level, each.subject, message, fix, Place("image", each.file)
        )


def _git(
    project: Project, families: Sequence[Family], every: Sequence[Path], secret: Sequence[Path]
) -> Iterator[Finding | Remark]:
    tracked = ignores.tracked(project)
    if tracked is None:
        message = "git does not answer here: no repository, or git is not installed"
        yield Remark("ENV-TRACKED", project.root.name, message, "git init")
        return
    for path in every:
        yield from _tracked(project, path, tracked, secret=path in secret)
    loose = [
        path
        for path in every
        if project.shown(path) not in tracked and (path in secret or _PERSONAL.fullmatch(path.name))
    ]
    for each in ignores.for_git(project, loose) or ():
        message, fix = (
            "not ignored by git: the next `git add` takes it",
            f"add to {each.file}: {each.line}",
        )
        yield finding(
            "ENV-UNIGNORED", "error", each.subject, message, fix, Place("local", each.subject)
        )
    yield from _hidden_templates(project, families)


def _tracked(
    project: Project, path: Path, tracked: frozenset[str], *, secret: bool
) -> Iterator[Finding]:
    file = project.shown(path)
    if file not in tracked or not (secret or _PERSONAL.fullmatch(path.name)):
        return
    what = "with secrets in it" if secret else "and is a personal file"
    fix = f"git rm --cached {file}, ignore it, and replace its secrets: the history keeps them"
    severity: Severity = "error" if _PERSONAL.fullmatch(path.name) else "warning"
    message = f"tracked by git, {what}"
    yield finding("ENV-TRACKED", severity, file, message, fix, Place("local", file))


def _hidden_templates(project: Project, families: Sequence[Family]) -> Iterator[Finding]:
    found = [path for each in families for path in layers.templates(each.folder).values()]
    shown = ignores.unignored(project, found)
    for path in found if shown is not None else ():
        if path not in (shown or ()):
            file = project.shown(path)
            message = "a template that git ignores: nobody else gets it"
            fix = f"add to .gitignore: !{path.name}"
            yield finding("ENV-UNIGNORED", "warning", file, message, fix, Place("local", file))

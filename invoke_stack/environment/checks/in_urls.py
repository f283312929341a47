"""Values that break the URL which refers to them: a `/` in a password ends the host's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from invoke_stack.compose import interpolation
from invoke_stack.compose.interpolation import Template
from invoke_stack.environment.checks.rules import Judge, finding
from invoke_stack.environment.checks.state import Family
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.values import Value
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place
from invoke_stack.project import Project

_USERINFO = re.compile(r"://(?P<inside>[^/?#\s@]*)@")
_NAME = re.compile("\0([^\0]+)\0")
# Without these every reader of URLs finds the host; `+`, `=` and `:` are no harm.
_BREAKS = re.compile(r"[/?#@%\[\]\\\s]")


def check(project: Project, family: Family, needs: Needs, judge: Judge) -> Iterator[Finding]:
    """Yield the values that stand as user or password in a URL and are not fit for it."""
    uses = list(_in_env_files(family))
    if family.main:
        uses += _in_compose_files(project, needs)
    for name, where in dict.fromkeys(uses):
        value = family.env.values.get(name)
        if value is not None and value.text and _BREAKS.search(value.text):
            yield _finding(value, where, judge)


def _finding(value: Value, where: Place, judge: Judge) -> Finding:
    message = (
        f"stands in the URL of {where} and has characters that end a password there (one of "
        "/ ? # @ % [ ] \\ or a space)"
    )
    fix = (
        "use letters and digits only (# @generate=base62(32) in the template, then inv env.init "
        f"--rotate {value.key}), or write the URL out with the password percent-encoded"
    )
    return finding("ENV-URL", judge.level, value.key, message, fix, where)


def _in_env_files(family: Family) -> Iterator[tuple[str, Place]]:
    for layer in family.layers:
        for each in layer.assignments:
            for name in inside(each.template or ()):
                yield name, Place("local", layer.file, each.line)


def _in_compose_files(project: Project, needs: Needs) -> Iterator[tuple[str, Place]]:
    texts: dict[str, list[str]] = {}
    for each in needs.variables:
        lines = texts.setdefault(each.file, _lines(project.root / each.file))
        if each.name in _of_line(lines[each.line - 1 : each.line]):
            yield each.name, Place("local", each.file, each.line)


def _of_line(lines: list[str]) -> tuple[str, ...]:
    try:
        return tuple(name for line in lines for name in inside(interpolation.parse(line, "")))
    except UsageError:
        return ()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig", errors="replace").split("\n")
    except OSError:
        return []


def inside(template: Template) -> Iterator[str]:
    """Yield the variables that stand in front of the `@` of a URL."""
    text = "".join(part if isinstance(part, str) else f"\0{part.name}\0" for part in template)
    for found in _USERINFO.finditer(text):
        yield from _NAME.findall(found["inside"])

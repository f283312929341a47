"""`env.check`: everything that is wrong with the env files of a mode, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from invoke_stack.environment import needs as stacks
from invoke_stack.environment import selection
from invoke_stack.environment.checks import exposure, in_urls, presence, quality
from invoke_stack.environment.checks.rules import RULES, Judge
from invoke_stack.environment.checks.state import Family, families
from invoke_stack.environment.lint import project as lint
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Remark, Report
from invoke_stack.project import Project

_OF_LINES = frozenset({"ENV-SYNTAX", "ENV-REF", "ENV-RESERVED", "ENV-DUP"})
_NEEDS_TEMPLATE = frozenset({"ENV-MISSING", "ENV-EXTRA", "ENV-TYPE"})


def check(project: Project, only: Selection = ALL) -> Report:
    """Return what is wrong with the env files of the mode; no text in it holds a value.

    Args:
        project: the project.
        only: the env files of this service or folder; all of them by default.

    Raises:
        UsageError: no such folder or service, or a template with a mistake in it.
    """
    needs = stacks.find(project)
    judge = Judge(needs.mode)
    meant = selection.chosen(project, only)
    found = tuple(each for each in families(project, needs) if meant(each.folder))
    selection.require(found, only)
    items = [
        *_of_keys(project, found, needs, judge),
        *(() if only else presence.env_files(project, found, needs)),
        *exposure.check(project, found, needs, judge),
    ]
    told = [each for each in items if isinstance(each, Finding)]
    findings = tuple(dict.fromkeys((*told, *_unportable(project, told, only))))
    unknowns = (*(each for each in items if isinstance(each, Remark)), *_unknown(found, needs))
    return Report(findings, _passes(findings, unknowns), unknowns, rules=RULES)


def _of_keys(
    project: Project, found: tuple[Family, ...], needs: Needs, judge: Judge
) -> Iterator[Finding]:
    for family in found:
        yield from family.findings
        yield from presence.check(family, needs, judge)
        yield from quality.check(family, judge)
        yield from in_urls.check(project, family, needs, judge)


def _unportable(project: Project, told: Sequence[Finding], only: Selection) -> Iterator[Finding]:
    """Yield what `env.lint` says, but of no line that is told to be broken already."""
    lines = {
        (place.file, place.line)
        for each in told
        if each.rule in _OF_LINES
        for place in each.where
        if place.line
    }
    try:
        found = lint.report(project, only).findings
    except UsageError:  # a file that nobody can read is a finding of ours already
        return
    for each in found:
        if not any((place.file, place.line) in lines for place in each.where):
            yield each


def _unknown(found: tuple[Family, ...], needs: Needs) -> Iterator[Remark]:
    if needs.problem:
        message = f"the compose files were not read ({needs.problem})"
        yield Remark("ENV-IMAGE", "stack", message, "inv stack.config tells more")
    if not any(family.targets for family in found):
        message = f"no template of the mode {needs.mode.name}: which keys belong here is not known"
        yield Remark("ENV-MISSING", "template", message, "inv env.init proposes one")


def _passes(findings: tuple[Finding, ...], unknowns: tuple[Remark, ...]) -> tuple[Remark, ...]:
    told = {each.rule for each in findings} | {each.rule for each in unknowns}
    if "ENV-MISSING" in told and not any(each.rule == "ENV-MISSING" for each in findings):
        told |= _NEEDS_TEMPLATE
    return tuple(
        Remark(rule.id, "env", f"not found: {rule.title}") for rule in RULES if rule.id not in told
    )

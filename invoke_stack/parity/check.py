"""`parity.check`: every rule on the facts, then what the project has accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from invoke_stack.errors import UsageError
from invoke_stack.findings import baseline as baselines
from invoke_stack.findings.model import Finding, Remark, Report
from invoke_stack.findings.suppression import Acceptance, applied, comments, settled
from invoke_stack.parity import catalogue, facts
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Rule
from invoke_stack.project import Project

MARKER = "parity"
SUPPRESSION = "PAR004"
NEVER_FAILS = frozenset({"PAR003"})
"""What only asks for a fact is shown, and fails nobody's build."""

_SHOWN_KEYS = 4
"""Keys that the subject of a grouped finding names."""
_SHOWN = 20
"""Keys that its message names; its places are all there."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked for.

    Attributes:
        select, ignore: IDs or their beginnings; empty takes the settings'.
        baseline: file of findings that were there before; "".
        today: decides which suppressions have expired; None is today.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: str = ""
    today: date | None = None


def check(project: Project, request: Request = Request(), *, grouped: bool = True) -> Report:
    """Return what production has and the local stack has not.

    Args:
        project: whose files are compared.
        request: which rules, and what was there before.
        grouped: put findings of one group together, as people read them.

    Raises:
        UsageError: no production file or local stack, an unknown rule, a broken setting.
    """
    return judge(project, facts.gather(project), request, grouped=grouped)


def judge(
    project: Project, found: Facts, request: Request = Request(), *, grouped: bool = True
) -> Report:
    """Return what the rules say about facts that are already gathered."""
    settings = project.settings.parity
    known = catalogue.rules(settings.rules)
    chosen = catalogue.chosen(
        known, request.select or settings.select, request.ignore or settings.ignore
    )
    raw = run(found, chosen)
    groups = {finding: group for finding, group in raw.grouped if group}
    accepted = (*_written(found), *settled(project.settings.parity.accept, "stack.parity.accept"))
    today = request.today or datetime.now(tz=UTC).date()
    ran = {each.id for each in chosen}
    report = replace(raw.report, rules=tuple(each.described for each in known))
    report = applied(report, accepted, rule=SUPPRESSION, today=today, checked=ran)
    if SUPPRESSION not in ran:
        kept = tuple(each for each in report.findings if each.rule != SUPPRESSION)
        report = replace(report, findings=kept)
    if request.baseline:
        report = baselines.applied(report, project.root / request.baseline)
    if not grouped:
        return report
    return replace(report, findings=tuple(_grouped(report.findings, groups)))


@dataclass(frozen=True, slots=True)
class Raw:
    """What the rules say, before anything is accepted or put together."""

    report: Report
    grouped: tuple[tuple[Finding, str], ...]


def run(found: Facts, rules: Sequence[Rule]) -> Raw:
    """Return the outcomes of the rules."""
    findings: dict[Finding, str] = {}
    passes: list[Remark] = []
    unknowns: list[Remark] = []
    for each in rules:
        for outcome, extra in each.run(found):
            if isinstance(outcome, Finding):
                findings.setdefault(outcome, str(extra))
            else:
                (passes if extra else unknowns).append(outcome)
    report = Report(tuple(findings), tuple(dict.fromkeys(passes)), tuple(dict.fromkeys(unknowns)))
    return Raw(report, tuple(findings.items()))


def _written(found: Facts) -> Iterator[Acceptance]:
    """Yield the suppressions that stand in the files that were read."""
    workspace = found.repository.workspace
    files = set(found.production.layers) | set(found.repository.dockerfiles)
    files |= {file for layer in found.layers.values() for file in layer.layers}
    files |= {each.file for each in found.repository.templates}
    for file in sorted(files):
        if workspace.has(file) and workspace.readable(file):
            yield from comments(workspace.text(file), file, MARKER)


def _grouped(findings: Iterable[Finding], groups: dict[Finding, str]) -> Iterator[Finding]:
    """Yield the findings, those of one rule, severity and group put together."""
    together: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        group = groups.get(each, "")
        if group:
            together.setdefault((each.rule, each.severity, group), []).append(each)
        else:
            yield each
    for (_, _, group), several in together.items():
        yield _one(group, several)


def _one(group: str, several: Sequence[Finding]) -> Finding:
    first = several[0]
    subjects = list(dict.fromkeys(each.subject for each in several))
    more = len(subjects) - _SHOWN_KEYS
    subject = ", ".join(subjects[:_SHOWN_KEYS]) + (f", and {more} more" if more > 0 else "")
    told = list(dict.fromkeys(each.message for each in several))
    message = f"{group}: {', '.join(_first(told))}"
    where = tuple(dict.fromkeys(place for each in several for place in each.where))
    fixes = list(dict.fromkeys(each.fix for each in several if each.fix))
    if first.severity == "info":
        fixes = _first(fixes)
    return replace(first, subject=subject, message=message, where=where, fix="\n".join(fixes))


def _first(texts: Sequence[str]) -> list[str]:
    """Return the first texts, and how many there are beside them."""
    more = len(texts) - _SHOWN
    return [*texts[:_SHOWN], f"… and {more} more"] if more > 1 else list(texts)


def failing(report: Report, severity: str, minimum: str = "medium") -> tuple[Finding, ...]:
    """Return what `--fail-on` counts: at or above the severity, and not merely possible.

    Raises:
        UsageError: there is no such severity.
    """
    from invoke_stack.findings import model

    trusts = ("high", "medium", "low")
    if minimum not in trusts:
        raise UsageError("confidence", f"no such confidence: {minimum}")
    counted = trusts[: trusts.index(minimum) + 1]
    return tuple(
        each
        for each in report.at_or_above(model.severity(severity))
        if each.confidence in counted and each.rule not in NEVER_FAILS
    )

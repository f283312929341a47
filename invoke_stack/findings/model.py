"""Findings: the one shape of what every checker has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, cast

from invoke_stack.errors import UsageError

Severity = Literal["error", "warning", "info"]
Confidence = Literal["high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Every severity, the worst first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the evidence stands.

    Attributes:
        side: what the place belongs to (`production`, `local`, `image`, …).
        file: path from the project root with forward slashes; "" when no file says it.
        line: counted from 1; 0 when the place is a whole file.
    """

    side: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def in_project(self) -> bool:
        """Whether it is a file of the project, not one inside an image or elsewhere."""
        path = self.file
        anchored = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
        return bool(path) and not anchored


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said about a rule wherever its findings are listed."""

    id: str
    title: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend.

    Attributes:
        subject: what it is about: a variable, a service, an image.
        message: what is wrong; never a secret.
        fix: the line to write or the command to run.
        where: the evidence, the place to mend first.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    subject: str
    message: str
    fix: str = ""
    where: tuple[Place, ...] = ()

    @property
    def home(self) -> Place | None:
        """The first place that is a file of the project."""
        return next((place for place in self.where if place.in_project), None)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was checked and is right, or could not be checked.

    For what could not be checked, ``fix`` says how to make it known.
    """

    rule: str
    subject: str
    message: str
    fix: str = ""
    where: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that the project has accepted.

    Attributes:
        reason: why, in the project's own words.
        place: the comment or setting that accepts it.
        until: ISO date from which it counts again; "" for never.
    """

    finding: Finding
    reason: str
    place: Place | None = None
    until: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one check has to say, always in the same order.

    Findings stand by severity, then rule, then place; so two runs on the same project write
    the same bytes. ``rules`` are the rules' titles, for the formats that list them.
    """

    findings: tuple[Finding, ...] = ()
    passes: tuple[Remark, ...] = ()
    unknowns: tuple[Remark, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        ordered = {
            "findings": sorted(self.findings, key=_rank),
            "passes": sorted(self.passes, key=_place_rank),
            "unknowns": sorted(self.unknowns, key=_place_rank),
            "suppressed": sorted(self.suppressed, key=lambda each: _rank(each.finding)),
            "rules": sorted(set(self.rules), key=lambda rule: rule.id),
        }
        for name, items in ordered.items():
            # Frozen for everyone else: order is part of what a report is.
            object.__setattr__(self, name, tuple(cast("list[Any]", items)))

    @property
    def worst(self) -> Severity | None:
        """The highest severity found, or None when nothing was."""
        return self.findings[0].severity if self.findings else None

    def at_or_above(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings that `--fail-on` counts."""
        limit = SEVERITIES.index(severity)
        return tuple(each for each in self.findings if SEVERITIES.index(each.severity) <= limit)


def combined(reports: Sequence[Report]) -> Report:
    """Return one report of everything that several say."""
    return Report(
        findings=tuple(item for report in reports for item in report.findings),
        passes=tuple(item for report in reports for item in report.passes),
        unknowns=tuple(item for report in reports for item in report.unknowns),
        suppressed=tuple(item for report in reports for item in report.suppressed),
        rules=tuple(item for report in reports for item in report.rules),
    )


def severity(name: str, where: str = "--fail-on") -> Severity:
    """Return the severity of that name.

    Raises:
        UsageError: there is none; ``where`` is the flag or setting that named it.
    """
    for known in SEVERITIES:
        if name == known:
            return known
    raise UsageError(where, f"no such severity: {name}", hint=f"known: {', '.join(SEVERITIES)}")


def _rank(finding: Finding) -> tuple[Any, ...]:
    return (SEVERITIES.index(finding.severity), *_place_rank(finding), finding.confidence)


def _place_rank(item: Finding | Remark) -> tuple[Any, ...]:
    places = tuple((place.file, place.line, place.side) for place in item.where)
    return (item.rule, places, item.subject, item.message, item.fix)

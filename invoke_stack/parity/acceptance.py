"""`parity.accept`: writing down that a finding is fine, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from invoke_stack import files
from invoke_stack.errors import UsageError
from invoke_stack.findings import baseline
from invoke_stack.findings.model import Finding, Place, Report
from invoke_stack.parity.check import MARKER
from invoke_stack.project import Project

_COMMENTED = re.compile(r"\.(?:ya?ml|env|toml)$|(?:^|/)(?:Dockerfile|\.env)[^/]*$|Dockerfile$")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A comment to write.

    Attributes:
        place: the line that it stands above.
        text: the comment, without indentation.
    """

    finding: Finding
    place: Place
    text: str


def comment(rule: str, reason: str, until: str = "") -> str:
    """Return the comment that accepts a rule's finding on the next line.

    Raises:
        UsageError: no reason, or a date that is none.
    """
    if not reason.strip() or "\n" in reason:
        hint = "inv parity.accept -r PAR203 --reason 'Redis comes with the queue'"
        raise UsageError("--reason", "a reason of one line is needed", hint=hint)
    if until:
        try:
            date.fromisoformat(until)
        except ValueError:
            hint = "for example: --until 2027-01-31"
            raise UsageError("--until", f"not a date: {until}", hint=hint) from None
    return f"# {MARKER}: ignore[{rule}]{f' until {until}' if until else ''} -- {reason.strip()}"


def plan(
    report: Report, rule: str, match: str, reason: str, until: str = ""
) -> tuple[Accepted, ...]:
    """Return the comments that accept every finding of a rule whose subject or file matches.

    Raises:
        UsageError: there is no such finding, or none of its places can hold a comment.
    """
    found = [each for each in report.findings if each.rule == rule.upper() and _about(each, match)]
    if not found:
        what = f"no finding of {rule.upper()}" + (f" about {match}" if match else "")
        raise UsageError("parity.accept", what, hint="inv parity.check")
    planned: list[Accepted] = []
    for each in found:
        place = _place(each)
        if place is None:
            raise UsageError(
                str(each.home or each.subject),
                "no comment can stand there",
                hint=f"settings: stack.parity.accept: [{{rule: {each.rule}, "
                f"match: {each.subject}, reason: …}}]",
            )
        if all(one.place != place for one in planned):
            planned.append(Accepted(each, place, comment(each.rule, reason, until)))
    return tuple(planned)


def _about(finding: Finding, match: str) -> bool:
    wanted = match.casefold()
    names = [finding.subject, *(each.file for each in finding.where)]
    return not wanted or any(wanted in name.casefold() for name in names)


def _place(finding: Finding) -> Place | None:
    """Return the first place with a line in a file that has comments; the local side first."""
    fit = [each for each in finding.where if each.line and _COMMENTED.search(each.file)]
    return next((each for each in fit if each.side == "local"), fit[0] if fit else None)


def write(project: Project, accepted: tuple[Accepted, ...]) -> None:
    """Write the comments above their lines, keeping every other byte."""
    by_file: dict[str, list[Accepted]] = {}
    for each in accepted:
        by_file.setdefault(each.place.file, []).append(each)
    for file, several in by_file.items():
        path = project.root / file
        lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
        for each in sorted(several, key=lambda one: -one.place.line):
            index = min(each.place.line, len(lines)) - 1
            line = lines[index]
            indent = line[: len(line) - len(line.lstrip())]
            ending = "\r\n" if line.endswith("\r\n") else "\n"
            lines.insert(index, f"{indent}{each.text}{ending}")
        mode = path.stat().st_mode
        files.write(path, "".join(lines))
        path.chmod(mode)


def write_baseline(project: Project, name: str, report: Report) -> int:
    """Write every finding of the report as a baseline; return how many there are."""
    path = Path(name)
    return baseline.write(path if path.is_absolute() else project.root / path, report.findings)

"""One line of the doctor's: something that was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from invoke_stack.doctor.rules import RULES
from invoke_stack.errors import StackError
from invoke_stack.findings.model import Finding, Place, Remark, Report, Severity

State = Literal["ok", "error", "warning", "info", "unknown"]


@dataclass(frozen=True, slots=True)
class Line:
    """A check's verdict on one thing.

    Attributes:
        rule: one of `doctor.rules`.
        state: how it is; "unknown" where it could not be looked at.
        subject: what it is about: a program, a service, a file.
        fix: the command to run or the line to write.
    """

    rule: str
    state: State
    subject: str
    message: str
    fix: str = ""
    where: tuple[Place, ...] = ()


def ok(rule: str, subject: str, message: str) -> Line:
    """Return a line for what is as it should be."""
    return Line(rule, "ok", subject, message)


def unknown(rule: str, subject: str, message: str, fix: str = "") -> Line:
    """Return a line for what could not be looked at."""
    return Line(rule, "unknown", subject, message, fix)


def wrong(  # noqa: PLR0913 - the parts of a finding
    rule: str,
    subject: str,
    message: str,
    fix: str,
    *,
    state: Severity = "error",
    file: str = "",
    line: int = 0,
) -> Line:
    """Return a line for what is not as it should be; an error unless ``state`` says less."""
    where = (Place("local", file, line),) if file else ()
    return Line(rule, state, subject, message, fix, where)


def told(rule: str, problem: StackError, *, state: Severity = "error") -> Line:
    """Return the line for an error that a task would end with."""
    subject, _, number = problem.where.rpartition(":")
    if not number.isdigit():
        return wrong(rule, problem.where, problem.message, problem.hint, state=state)
    return wrong(
        rule, problem.where, problem.message, problem.hint, state=state, file=subject,
        line=int(number),
    )  # fmt: skip


def report(lines: Iterable[Line]) -> Report:
    """Return the lines in the shape that every checker reports."""
    kept = tuple(lines)
    return Report(
        findings=tuple(found for each in kept if (found := _finding(each))),
        passes=tuple(_remark(each) for each in kept if each.state == "ok"),
        unknowns=tuple(_remark(each) for each in kept if each.state == "unknown"),
        rules=RULES,
    )


def _finding(line: Line) -> Finding | None:
    if line.state in ("ok", "unknown"):
        return None
    severity = cast("Severity", line.state)
    return Finding(line.rule, severity, "high", line.subject, line.message, line.fix, line.where)


def _remark(line: Line) -> Remark:
    return Remark(line.rule, line.subject, line.message, line.fix, line.where)

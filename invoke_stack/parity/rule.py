"""What a rule is: a name for life, how bad it is, and a function from facts to outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from invoke_stack.errors import UsageError
from invoke_stack.findings import model
from invoke_stack.findings.model import Confidence, Finding, Place, Remark, Severity
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src, Val


@dataclass(frozen=True, slots=True)
class Found:
    """A difference.

    Attributes:
        subject: what it is about: a variable, a service, a file.
        message: what is wrong; never a secret.
        where: the evidence, the place to mend first.
        fix: the line to write.
        severity, confidence: where they differ from the rule's own.
        group: findings of one rule, severity and group are shown as one; each can be accepted
            on its own. Its text opens the message of the whole.
    """

    subject: str
    message: str
    where: tuple[Place, ...] = ()
    fix: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that was compared and is right."""

    subject: str
    message: str
    where: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be compared; ``fix`` is the line that makes it known."""

    subject: str
    message: str
    fix: str = ""
    where: tuple[Place, ...] = ()


Outcome = Found | Passed | Unknown
Check = Callable[[Facts], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        id: never changes its meaning; the first digit is the area.
        severity, confidence: of its findings unless they say otherwise. "high" is certain,
            "medium" likely, "low" possible.
        check: yields what it finds; reads nothing but the facts.
        page: Markdown for `parity.explain`; "" takes the page that ships with the package.
    """

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    check: Check
    page: str = ""

    def text(self) -> str:
        """Return the page: why, bad, good, and when it keeps quiet."""
        page = resources.files("invoke_stack.parity").joinpath("pages", f"{self.id}.md")
        if self.page or not page.is_file():
            return self.page or f"# {self.id} {self.title}\n"
        return page.read_text(encoding="utf-8")

    @property
    def described(self) -> model.Rule:
        """What SARIF and the like say about it: the page's first paragraph."""
        parts = self.text().split("\n\n")
        return model.Rule(self.id, self.title, parts[1].strip() if len(parts) > 1 else "")

    def run(self, facts: Facts) -> Iterator[tuple[Finding, str] | tuple[Remark, bool]]:
        """Yield findings with their group, and remarks with whether they are passes."""
        for each in self.check(facts):
            if isinstance(each, Found):
                level, trust = each.severity or self.severity, each.confidence or self.confidence
                subject, message = each.subject, each.message
                finding = Finding(self.id, level, trust, subject, message, each.fix, each.where)
                yield finding, each.group
            else:
                fix = each.fix if isinstance(each, Unknown) else ""
                remark = Remark(self.id, each.subject, each.message, fix, each.where)
                yield remark, isinstance(each, Passed)


def rule(
    id: str,  # noqa: A002 - what users call it
    title: str,
    severity: str = "warning",
    confidence: str = "medium",
    page: str = "",
) -> Callable[[Check], Rule]:
    """Return a decorator that makes a rule of a function from facts to outcomes.

    Raises:
        UsageError: no such severity or confidence.
    """
    level = model.severity(severity, id)
    for trust in ("high", "medium", "low"):
        if trust == confidence:
            return lambda check: Rule(id, title, level, trust, check, page)
    raise UsageError(id, f"no such confidence: {confidence}", hint="known: high, medium, low")


def places(
    production: Iterable[Src | Val[Any] | None] = (), local: Iterable[Src | Val[Any] | None] = ()
) -> tuple[Place, ...]:
    """Return the places of both sides, each once; what no file says has none."""
    found = [*_places("production", production), *_places("local", local)]
    return tuple(dict.fromkeys(found))


def _places(side: str, sources: Iterable[Src | Val[Any] | None]) -> Iterator[Place]:
    for each in sources:
        src = each.src if isinstance(each, Val) else each
        if src is not None and src.file:
            yield Place(side, src.file, src.line)

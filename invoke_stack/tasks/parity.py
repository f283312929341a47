"""Parity: what production has and the laptop has not, with the line to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_stack.tasks._task import Run, stack_task

if TYPE_CHECKING:
    from invoke_stack.parity.check import Request

EMBEDDED = (
    "the local stack runs embedded: compared is what its files say, not the programs of this "
    "machine that stand in for its images"
)


def _request(select: Any, ignore: Any, baseline: str = "") -> Request:
    from invoke_stack.parity.check import Request

    return Request(tuple(select or ()), tuple(ignore or ()), baseline)


@stack_task(
    modes=False,
    json=True,
    iterable=("select", "ignore"),
    help={
        "format": "text, json, sarif, github or markdown.",
        "fail_on": "error, warning or info: from where on it ends with exit code 3.",
        "select": "Only these rules, or rules with these beginnings (PAR2); repeat for more.",
        "ignore": "Not these rules; repeat for more.",
        "baseline": "File of findings that were there before (inv parity.accept --baseline FILE).",
        "passes": "List what is right, too.",
    },
)
def check(  # noqa: PLR0913 - one argument per flag
    run: Run,
    format: str = "text",  # noqa: A002 - the flag's name
    fail_on: str = "",
    select: Any = None,
    ignore: Any = None,
    baseline: str = "",
    passes: bool = False,
) -> None:
    """Compare production with the local stack: findings with evidence on both sides."""
    from invoke_stack.engines import choice
    from invoke_stack.parity import check as domain
    from invoke_stack.tasks import _show_parity

    if choice.embedded_before(run.project):
        run.console.note(EMBEDDED)
    report = domain.check(run.project, _request(select, ignore, baseline))
    limit = fail_on or run.project.settings.parity.fail
    _show_parity.checked(run, report, format=format, limit=limit, passes=passes)


@stack_task(json=True, modes=False)
def show(run: Run) -> None:
    """Show what was read: both sides, their pairing and the repository, as JSON."""
    from invoke_stack.parity import facts
    from invoke_stack.tasks import _show_parity

    _show_parity.facts(run, facts.document(facts.gather(run.project)))


@stack_task(json=True, modes=False, help={"rule": "Its ID: PAR201."})
def explain(run: Run, rule: str = "") -> None:
    """Show a rule's page: why, bad, good, and when it keeps quiet."""
    from invoke_stack.errors import UsageError
    from invoke_stack.parity import catalogue
    from invoke_stack.tasks import _show_parity

    if not rule:
        raise UsageError("parity.explain", "which rule?", hint="inv parity.explain -r PAR201")
    known = catalogue.rules(run.project.settings.parity.rules)
    _show_parity.page(run, catalogue.find(rule, known))


@stack_task(json=True, modes=False)
def rules(run: Run) -> None:
    """List every rule: severity, confidence, title."""
    from invoke_stack.parity import catalogue
    from invoke_stack.tasks import _show_parity

    _show_parity.rules(run, catalogue.rules(run.project.settings.parity.rules))


@stack_task(
    modes=False,
    json=True,
    help={
        "rule": "The rule to accept: PAR203.",
        "match": "Only findings whose subject or file contains this.",
        "reason": "Why this is fine.",
        "until": "YYYY-MM-DD: from then on it counts again.",
        "baseline": "Write every finding of today to this file instead.",
    },
)
def accept(  # noqa: PLR0913 - one argument per flag
    run: Run,
    rule: str = "",
    match: str = "",
    reason: str = "",
    until: str = "",
    baseline: str = "",
) -> None:
    """Accept findings with a reason: write the comment where the evidence stands."""
    from invoke_stack.errors import UsageError
    from invoke_stack.parity import acceptance, catalogue
    from invoke_stack.parity import check as domain
    from invoke_stack.tasks import _show_parity

    if bool(rule) == bool(baseline):
        hint = "inv parity.accept -r PAR203 --reason WHY, or --baseline FILE"
        raise UsageError("parity.accept", "a rule or --baseline", hint=hint)
    if rule:
        rule = catalogue.find(rule, catalogue.rules(run.project.settings.parity.rules)).id
        acceptance.comment(rule, reason, until)
    request = domain.Request(select=(rule,) if rule else ())
    report = domain.check(run.project, request, grouped=False)
    if baseline:
        count = len(report.findings)
        if not run.project.dry:
            acceptance.write_baseline(run.project, baseline, report)
        _show_parity.baseline(run, baseline, count)
        return
    planned = acceptance.plan(report, rule, match, reason, until)
    if not run.project.dry:
        acceptance.write(run.project, planned)
    _show_parity.accepted(run, planned)

"""Env files: what every value is and where it came from."""

from __future__ import annotations

from typing import Any

from invoke_stack.tasks._env_reading import diff, explain, lint, run_
from invoke_stack.tasks._task import Run, stack_task

__all__ = ["diff", "explain", "lint", "run_"]


@stack_task(
    json=True,
    help={
        "view": "host or stack: URLs as this machine or as a container reaches them.",
        "service": "Only what this service gets through env_file.",
        "reveal": "Print secrets in clear.",
    },
)
def show(run: Run, service: str = "", view: str = "", reveal: bool = False) -> None:
    """Show the resolved values, masked, with the file and line each came from."""
    from invoke_stack.environment import shown

    found = shown.show(run.project, view=view, service=service)
    if run.json:
        first, *others = found
        values = {key: row.document(reveal=reveal) for key, row in first.rows.items()}
        families = {
            each.subject: {key: row.document(reveal=reveal) for key, row in each.rows.items()}
            for each in others
        }
        run.console.document(
            {"mode": first.mode, "values": values} | ({"families": families} if others else {}),
            reveal=reveal,
        )
        return
    for each in found:
        origin = ", ".join(each.layers) or "no env file"
        run.console.note(f"{each.subject}: mode {each.mode}, {origin}")
        for text in each.notes:
            run.console.note(f"note: {text}")
        rows = [
            (key, (row.text or "") if reveal else row.masked, str(row.value.place))
            for key, row in each.rows.items()
        ]
        run.console.table(("key", "value", "from"), rows, reveal=reveal)


@stack_task(
    json=True,
    yes=True,
    iterable=("rotate",),
    help={
        "rotate": "Replace this generated secret; repeat for more.",
        "fix": "Add missing lines to .gitignore and .dockerignore; make env files private.",
    },
)
def init(run: Run, rotate: Any = None, fix: bool = False) -> None:
    """Create or complete the env files from their templates, with generated secrets."""
    from invoke_stack.scaffold import env as domain
    from invoke_stack.tasks import _show_env

    text = domain.proposed(run.project)
    if text:
        run.console.result(text)
        run.confirm("there is no template; write this one as .env.example and make .env from it?")
        domain.propose(run.project, text, run.console.report)
        if run.project.dry:
            return
    request = domain.Request(tuple(rotate or ()), fix=fix)
    _show_env.made(run, domain.init(run.project, request, run.confirm, run.console.report), fix=fix)


@stack_task(json=True)
def sync(run: Run) -> None:
    """Add new keys of the templates to the env files there are, commented out."""
    from invoke_stack.scaffold import env as domain
    from invoke_stack.tasks import _show_env

    _show_env.synced(run, domain.sync(run.project, run.console.report))


@stack_task(
    json=True,
    help={
        "strict": "Warnings count too (exit 3).",
        "format": "text, json, sarif, github or markdown.",
    },
)
def check(run: Run, strict: bool = False, format: str = "text") -> None:  # noqa: A002 - the flag
    """Check the env files: missing, empty, placeholder, weak, mistyped, extra, exposed."""
    from invoke_stack.environment.checks import check as domain
    from invoke_stack.tasks import _show_env

    _show_env.checked(run, domain.check(run.project), format=format, strict=strict)

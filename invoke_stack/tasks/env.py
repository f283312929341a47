"""Env files: what every value is and where it came from."""

from __future__ import annotations

from typing import Any

from invoke_stack.tasks._env_reading import ONLY, diff, explain, lint, run_
from invoke_stack.tasks._task import Run, stack_task

__all__ = ["diff", "explain", "lint", "run_"]


@stack_task(
    json=True,
    help={
        "view": "host or stack: URLs as this machine or as a container reaches them.",
        "service": "Only what this service gets through env_file.",
        "dir": "Only the env files in this folder.",
        "reveal": "Print secrets in clear.",
    },
)
def show(run: Run, service: str = "", dir: str = "", view: str = "", reveal: bool = False) -> None:  # noqa: A002
    """Show the resolved values, masked, with the file and line each came from."""
    from invoke_stack.environment import shown
    from invoke_stack.environment.selection import Selection

    found = shown.show(run.project, view=view, only=Selection(service, dir))
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
        **ONLY,
        "fix": "Add missing lines to .gitignore and .dockerignore; make env files private.",
    },
)
def init(
    run: Run,
    rotate: Any = None,
    service: str = "",
    dir: str = "",  # noqa: A002 - the flag's name
    fix: bool = False,
) -> None:
    """Create or complete the env files from their templates, with generated secrets."""
    from invoke_stack.environment.selection import Selection
    from invoke_stack.scaffold import env as domain
    from invoke_stack.scaffold import proposal
    from invoke_stack.tasks import _show_env

    text = proposal.proposed(run.project)
    if text:
        run.console.result(text)
        run.confirm("there is no template; write this one as .env.example and make .env from it?")
        proposal.write(run.project, text, run.console.report)
        if run.project.dry:
            return
    request = domain.Request(tuple(rotate or ()), fix=fix, only=Selection(service, dir))
    _show_env.made(run, domain.init(run.project, request, run.confirm, run.console.report), fix=fix)


@stack_task(json=True, help=ONLY)
def sync(run: Run, service: str = "", dir: str = "") -> None:  # noqa: A002 - the flag's name
    """Add new keys of the templates to the env files there are, commented out."""
    from invoke_stack.environment.selection import Selection
    from invoke_stack.scaffold import env as domain
    from invoke_stack.tasks import _show_env

    found = domain.sync(run.project, Selection(service, dir))
    _show_env.synced(run, found)


@stack_task(
    json=True,
    help={
        **ONLY,
        "strict": "Warnings count too (exit 3).",
        "format": "text, json, sarif, github or markdown.",
    },
)
def check(
    run: Run,
    service: str = "",
    dir: str = "",  # noqa: A002 - the flags' names
    strict: bool = False,
    format: str = "text",  # noqa: A002
) -> None:
    """Check the env files: missing, empty, placeholder, weak, mistyped, extra, exposed."""
    from invoke_stack.environment.checks import check as domain
    from invoke_stack.environment.selection import Selection
    from invoke_stack.tasks import _show_env

    found = domain.check(run.project, Selection(service, dir))
    _show_env.checked(run, found, format=format, strict=strict)

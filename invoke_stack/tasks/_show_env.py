"""Results of the env tasks as text or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invoke_stack.errors import ExitCode
from invoke_stack.findings import document, writers
from invoke_stack.findings.model import Report
from invoke_stack.scaffold.env import Result
from invoke_stack.scaffold.plan import Change
from invoke_stack.tasks._task import Run


def made(run: Run, result: Result, *, fix: bool) -> None:
    """Print what `env.init` wrote or would, what is left to fill in, what ignore files lack."""
    if run.json:
        run.console.document(_document(result, fix=fix))
    done = "would be " if run.project.dry else ""
    for each in result.changes:
        run.console.result(f"{each.file}: {_told(each, done)}")
        if each.open:
            run.console.note(f"{each.file}: fill in {', '.join(each.open)}")
        if each.empty:
            run.console.note(f"{each.file}: without a value yet: {', '.join(each.empty)}")
    for file in result.other_modes:
        run.console.note(f"not of mode {result.mode}: {file}")
    _ignores(run, result, fix=fix)


def synced(run: Run, result: Result) -> None:
    """Print what `env.sync` added or would."""
    if run.json:
        run.console.document(
            {"mode": result.mode, "files": [_change(each) for each in result.changes]}
        )
    done = "would be " if run.project.dry else ""
    for each in result.changes:
        keys = (
            f"{done}added, commented out: {', '.join(each.added)}"
            if each.added
            else "has every key"
        )
        run.console.result(f"{each.file}: {keys}")
    if not result.changes:
        run.console.note("there is no env file yet: inv env.init")


def _told(change: Change, done: str) -> str:
    source = change.target.template.file
    fresh = f"; {done}generated: {', '.join(change.generated)}" if change.generated else ""
    if change.before is None:
        return f"{done}created from {source}, {_count(change.added)}{fresh}"
    if not change.differs:
        return "complete, nothing to do"
    parts = [f"{done}added: {', '.join(change.added)}"] if change.added else []
    parts += [f"{done}filled: {', '.join(change.filled)}"] if change.filled else []
    return "; ".join(parts) + fresh if parts else f"{done}changed{fresh}"


def _count(keys: Sequence[str]) -> str:
    return f"{len(keys)} key{'' if len(keys) == 1 else 's'}"


def _ignores(run: Run, result: Result, *, fix: bool) -> None:
    added, now = ("would add", "would be") if run.project.dry else ("added", "now")
    for each in result.missing:
        if fix:
            run.console.note(f"{each.file}: {added} {each.line}")
        else:
            what = (
                "git would commit it" if each.path.name == ".gitignore" else "it reaches an image"
            )
            run.console.warn(
                f"{each.subject}: {what}",
                f"add to {each.file}: {each.line} (or: inv env.init --fix)",
            )
    for file in result.too_open:
        if fix:
            run.console.note(f"{file}: {now} readable by you alone")
        else:
            run.console.warn(
                f"{file}: others can read it", f"chmod 600 {file} (or: inv env.init --fix)"
            )


def _document(result: Result, *, fix: bool) -> dict[str, Any]:
    return {
        "mode": result.mode,
        "files": [_change(each) for each in result.changes],
        "ignores": [
            {"file": each.file, "line": each.line, "for": each.subject, "added": fix}
            for each in result.missing
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "file": change.file,
        "template": change.target.template.file,
        "created": change.before is None,
        "added": list(change.added),
        "filled": list(change.filled),
        "generated": list(change.generated),
        "open": list(change.open),
        "empty": list(change.empty),
    }


def checked(run: Run, report: Report, *, format: str, strict: bool) -> None:  # noqa: A002 - the flag
    """Print a report; with errors in it, or with any warning when strict, end with exit code 3."""
    from invoke.exceptions import Exit

    if run.json:
        run.console.document(document.document(report))
    else:
        run.console.result(writers.write(report, format))
    if report.at_or_above("warning" if strict else "error"):
        raise Exit(code=ExitCode.FINDINGS)

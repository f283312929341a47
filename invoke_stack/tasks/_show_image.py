"""Results of the image tasks as text or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_stack import sizes
from invoke_stack.errors import ExitCode
from invoke_stack.findings import document, text, writers
from invoke_stack.findings.model import Report, Severity, severity
from invoke_stack.images.layers import Image, Layer
from invoke_stack.images.record import Change
from invoke_stack.tasks._task import Run

if TYPE_CHECKING:
    from invoke_stack.images.build import Built, Outcome
    from invoke_stack.images.prune import Leftovers
    from invoke_stack.images.size import Sized

SHOWN = 8
"""Changes that are listed after a build."""


def built(run: Run, outcome: Outcome | None) -> None:
    """Print what was built; over a budget, end with exit code 3."""
    if outcome is None:
        return
    if run.json:
        images = [
            _image(each.image, seconds=each.seconds, delta=each.delta)
            | {
                "changes": [_change(change) for change in each.changes],
                "cache": [
                    {"stage": hit.stage, "cached": hit.cached, "steps": hit.steps}
                    for hit in each.hits
                ],
            }
            for each in outcome.images
        ]
        found = document.document(outcome.report)["findings"]
        run.console.document(
            {
                "mode": outcome.mode,
                "seconds": round(outcome.seconds, 2),
                "images": images,
                "findings": found,
            }
        )
    else:
        rows = [_row(each) for each in outcome.images]
        run.console.table(("service", "image", "size", "change", "time", "cached"), rows)
        for each in outcome.images:
            _changes(run, each)
        if outcome.report.findings:
            run.console.result(f"\n{text.write(outcome.report)}")
    _end(outcome.report, ("IMG201",))


def _row(each: Built) -> tuple[object, ...]:
    change = "first build" if each.delta is None else signed(each.delta)
    hits = ", ".join(f"{hit.label} {hit.cached}/{hit.steps}" for hit in each.hits)
    return (
        each.image.service,
        each.image.tag,
        sizes.decimal(each.image.bytes),
        change,
        f"{each.seconds:.1f} s",
        hits or "-",
    )


def _changes(run: Run, each: Built) -> None:
    lines = [
        f"  {signed(change.bytes):>9}  {change.created_by}{_at(change)}"
        for change in each.changes[:SHOWN]
    ]
    if len(each.changes) > SHOWN:
        lines.append(f"  and {len(each.changes) - SHOWN} smaller ones")
    if lines:
        run.console.result("\n".join([f"{each.image.service}: what changed", *lines]))


def sized(run: Run, found: tuple[Sized, ...], report: Report) -> None:
    """Print layers with their sizes; over a budget, end with exit code 3."""
    if run.json:
        images = [
            _image(each.image, delta=each.delta)
            | {"changes": [_change(change) for change in each.changes]}
            for each in found
        ]
        said = document.document(report)["findings"]
        run.console.document({"images": images, "findings": said})
    for each in found if not run.json else ():
        more = f", {signed(each.delta)} than {each.compared}" if each.compared else ""
        run.console.result(
            f"{each.image.service}: {each.image.tag}, {sizes.decimal(each.image.bytes)}{more}"
        )
        rows = [
            (sizes.decimal(layer.bytes), layer.origin, layer.created_by)
            for layer in each.image.layers
            if layer.bytes
        ]
        run.console.table(("size", "from", "made by"), rows)
        if each.changes:
            lines = [f"  {signed(c.bytes):>9}  {c.created_by}{_at(c)}" for c in each.changes]
            run.console.result("\n".join(["what differs", *lines]))
    if report.findings and not run.json:
        run.console.result(f"\n{text.write(report)}")
    _end(report, ("IMG201",))


def leftovers(run: Run, found: Leftovers) -> None:
    """Print what pruning would remove, before anyone is asked, and what has to stay."""
    if run.json:
        return
    for each in found.used:
        uses = "use" if len(each.containers) > 1 else "uses"
        who = f"container {', '.join(each.containers)}"
        run.console.note(f"kept image {each.id[7:19]}: {who} {uses} it")
    rows = [("image", each.id[7:19], sizes.decimal(each.bytes)) for each in found.images]
    if found.cache:
        total = sum(each.bytes for each in found.cache)
        rows.append((f"build cache, {len(found.cache)} records", "", sizes.decimal(total)))
    if rows:
        run.console.table(("what", "id", "size"), rows)


def pruned(run: Run, found: Leftovers, freed: int) -> None:
    """Print what pruning removed."""
    if run.json:
        run.console.document(
            {
                "project": found.project,
                "images": [{"id": each.id, "bytes": each.bytes} for each in found.images],
                "cache": [{"id": each.id, "bytes": each.bytes} for each in found.cache],
                "used": [{"id": each.id, "containers": [*each.containers]} for each in found.used],
                "freed": 0 if run.project.dry else freed,
            }
        )
    elif not found.images and not found.cache:
        run.console.note(f"{found.project}: nothing to remove")
    else:
        run.console.note(
            f"{'would remove' if run.project.dry else 'removed'} {sizes.decimal(freed)}"
        )


def gate(fail_on: str, format: str) -> Severity:  # noqa: A002 - the flag's name
    """Return the severity from which findings count, before anything long has begun.

    Raises:
        UsageError: no such severity or format.
    """
    writers.write(Report(), format)
    return severity(fail_on)


def checked(run: Run, report: Report, *, format: str, gate: Severity) -> None:  # noqa: A002 - the flag
    """Print a report; with findings that count, end with exit code 3."""
    from invoke.exceptions import Exit

    if run.json:
        run.console.document(document.document(report))
    else:
        run.console.result(writers.write(report, format))
    if report.at_or_above(gate):
        raise Exit(code=ExitCode.FINDINGS)


def _end(report: Report, rules: tuple[str, ...]) -> None:
    """End with exit code 3 when one of the rules has an error."""
    from invoke.exceptions import Exit

    if any(each.rule in rules for each in report.at_or_above("error")):
        raise Exit(code=ExitCode.FINDINGS)


def _image(
    image: Image, *, seconds: float | None = None, delta: int | None = None
) -> dict[str, Any]:
    return {
        "service": image.service,
        "tag": image.tag,
        "id": image.id,
        "bytes": image.bytes,
        "seconds": None if seconds is None else round(seconds, 2),
        "delta": delta,
        "layers": [_layer(each) for each in image.layers],
    }


def _layer(each: Layer) -> dict[str, Any]:
    return {
        "bytes": each.bytes,
        "created_by": each.created_by,
        "file": each.file or None,
        "line": each.line or None,
        "digest": each.digest or None,
    }


def _change(each: Change) -> dict[str, Any]:
    return {
        "bytes": each.bytes,
        "created_by": each.created_by,
        "file": each.file or None,
        "line": each.line or None,
    }


def _at(change: Change) -> str:
    place = f"{change.file}:{change.line}" if change.line else change.file
    return f" ({place})" if place else ""


def signed(count: int | None) -> str:
    """Return a difference in bytes with its sign."""
    if not count:
        return "same size"
    return f"{'+' if count > 0 else '-'}{sizes.decimal(abs(count))}"

"""Env files: what every value is and where it came from."""

from __future__ import annotations

from invoke_stack.tasks._task import Run, stack_task


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

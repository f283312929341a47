"""The tasks of `env` that read: portability, one key, two sides, and a program with the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_stack.tasks._task import Run, stack_task

if TYPE_CHECKING:
    from invoke_stack.environment.difference import Difference
    from invoke_stack.environment.explain import Explained

ONLY = {
    "service": "Only the env files of this service.",
    "dir": "Only the env files in this folder.",
}
STATES = {
    "same": "same",
    "differs": "differs",
    "left": "only left",
    "right": "only right",
    "both": "in both",
}


@stack_task(
    json=True,
    help={
        **ONLY,
        "format": "text, json, sarif, github or markdown.",
        "strict": "Warnings count too.",
    },
)
def lint(
    run: Run,
    service: str = "",
    dir: str = "",  # noqa: A002 - the flags' names
    format: str = "text",  # noqa: A002
    strict: bool = False,
) -> None:
    """Find the lines that Compose, Next.js and python-dotenv read differently."""
    from invoke_stack.environment.lint import project
    from invoke_stack.environment.selection import Selection
    from invoke_stack.tasks import _show_env

    found = project.report(run.project, Selection(service, dir))
    _show_env.checked(run, found, format=format, strict=strict)


@stack_task(
    json=True,
    help={
        "key": "The variable.",
        "service": "Only as this service gets it through env_file.",
        "dir": "Only in the env files of this folder.",
        "reveal": "Print secrets in clear.",
    },
)
def explain(
    run: Run,
    key: str = "",
    service: str = "",
    dir: str = "",  # noqa: A002 - the flag's name
    reveal: bool = False,
) -> None:
    """Show who sets a variable, who else did, its references, and both views of it."""
    from invoke_stack.environment import explain as domain
    from invoke_stack.environment.selection import Selection
    from invoke_stack.errors import UsageError

    if not key:
        raise UsageError("env.explain", "which variable?", hint="inv env.explain -k DATABASE_URL")
    found = domain.explain(run.project, key, Selection(service, dir))
    if run.json:
        first, *others = (each.document(reveal=reveal) for each in found)
        run.console.document(
            {"mode": found[0].mode, "key": key, **first} | ({"families": others} if others else {}),
            reveal=reveal,
        )
        return
    for each in found:
        run.console.note(f"{each.subject}: mode {each.mode}")
        run.console.table(("what", "value", "from"), _lines(each, reveal=reveal), reveal=reveal)
        for text in each.notes:
            run.console.note(f"note: {text}")


def _lines(found: Explained, *, reveal: bool) -> list[tuple[str, str, str]]:
    def shown(row: object) -> str:
        from invoke_stack.environment.shown import Row

        if not isinstance(row, Row):
            return "-"
        return (row.text or "") if reveal else row.masked

    rows = [(found.row.value.key, shown(found.row), str(found.row.value.place))]
    rows += [("shadows", "", str(place)) for place in found.row.value.shadowed]
    rows += [
        (f"uses {used.name}", shown(used.row), str(used.place or "nowhere")) for used in found.used
    ]
    rows += [("host view", shown(found.host), ""), ("stack view", shown(found.stack), "")]
    return rows


@stack_task(
    json=True,
    help={
        **ONLY,
        "from": "A mode; the current one by default.",
        "to": "Another mode.",
        "template": "Compare with the templates.",
        "render": "Compare with the keys that render.yaml declares.",
    },
)
def diff(  # noqa: PLR0913 - one argument per flag
    run: Run,
    from_: str = "",
    to: str = "",
    template: bool = False,
    render: bool = False,
    service: str = "",
    dir: str = "",  # noqa: A002 - the flag's name
) -> None:
    """Compare two modes, or a mode with its templates or render.yaml: keys, never values."""
    from invoke_stack.environment import difference
    from invoke_stack.environment.selection import Selection
    from invoke_stack.errors import UsageError

    if sum((bool(to), template, render)) != 1 or (from_ and not to):
        raise UsageError(
            "env.diff", "compare with what?", hint="one of --to MODE, --template, --render"
        )
    if to:
        found = difference.modes(run.project, from_ or run.project.mode().name, to)
    else:
        found = difference.template(run.project) if template else difference.render(run.project)
    _differences(run, difference.of(run.project, found, Selection(service, dir)))


def _differences(run: Run, found: tuple[Difference, ...]) -> None:
    if run.json:
        run.console.document({"differences": [each.document() for each in found]})
        return
    for each in found:
        run.console.note(f"{each.folder}: left {each.left}, right {each.right}")
        run.console.table(("key", "state"), [(k, STATES[v]) for k, v in each.keys.items()])


@stack_task(
    name="run",
    help={
        "service": "With what this service gets: env_file, then environment.",
        "dir": "Run it in this folder, with the values of its env files.",
    },
)
def run_(run: Run, service: str = "", dir: str = "") -> None:  # noqa: A002 - the flag's name
    """Run a command on this machine with the resolved values: inv env.run -- COMMAND."""
    from pathlib import Path

    from invoke.exceptions import Exit

    from invoke_stack.environment import hosted
    from invoke_stack.environment.selection import Selection
    from invoke_stack.tasks import _show

    only, words = Selection(service, dir), _show.remainder()
    code = hosted.run(run.project, words, Path.cwd(), run.console.report, only=only)
    if code:
        raise Exit(code=code)

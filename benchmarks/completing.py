"""What completing a value costs over Invoke's own `--complete` in a project without us."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from listing import BARE, PACKAGE
from measure import INV, interleaved, run, spread

ROUNDS = 50
PROJECT = Path(__file__).resolve().parent.parent / "examples" / "hybrid"
OURS = (sys.executable, "-m", "invoke_stack.tasks.completing", "inv")
LINES = {
    "a service": ("stack.logs", "-s", ""),
    "an env key": ("env.explain", "-k", ""),
    "a parity rule": ("parity.explain", "-r", "PAR2"),
    "a task": ("stack.",),
}


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    # As pip leaves an installed package; Invoke itself never writes byte code.
    run((sys.executable, "-m", "compileall", "-q", str(PACKAGE)), PACKAGE)
    with tempfile.TemporaryDirectory() as temporary:
        bare = Path(temporary)
        (bare / "tasks.py").write_text(BARE)
        return [_row(what, line, bare) for what, line in LINES.items()]


def _row(what: str, line: tuple[str, ...], bare: Path) -> tuple[str, str, str, str, str]:
    mine, theirs = interleaved(
        lambda: run((*OURS, *line), PROJECT),
        lambda: run((*INV, "--complete", "--", "inv", "hel"), bare),
        ROUNDS,
    )
    # As for the list of tasks: what else runs on the machine can only add to a run.
    more = min(each.cpu for each in mine) - min(each.cpu for each in theirs)
    return (
        f"completing {what}, CPU time, vs `inv --complete` in a bare project; least of {ROUNDS}",
        spread([each.cpu for each in mine], "ms"),
        spread([each.cpu for each in theirs], "ms"),
        f"{more * 1000:+.1f} ms",
        "≤ +50 ms",
    )

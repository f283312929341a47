"""What completing a value costs over Invoke's own `--complete` in a project without us."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from listing import BARE, PACKAGE
from measure import INV, interleaved, median, run, spread

ROUNDS = 15
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
    more = median([a.wall - b.wall for a, b in zip(mine, theirs, strict=True)])
    return (
        f"completing {what}, vs `inv --complete` in a bare project",
        spread([each.wall for each in mine], "ms"),
        spread([each.wall for each in theirs], "ms"),
        f"{more * 1000:+.1f} ms",
        "≤ +50 ms",
    )
